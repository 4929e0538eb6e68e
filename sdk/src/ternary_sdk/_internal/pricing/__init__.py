"""Price lists, invoices and statements: what different operations cost, computed alike on both sides."""
