"""
The fields of onnx.proto that no graph of a package may have, in words: what a refusal calls them.

One table for each kind of message, field number to name. A field that is in no table and not read either is
refused as unknown.
"""

from typing import Final

MODEL: Final = {
    3: "a producer version",
    4: "a domain",
    5: "a model version",
    6: "a doc string",
    14: "metadata",
    20: "training information",
    25: "functions",
    26: "a device configuration",
}
GRAPH: Final = {
    10: "a doc string",
    13: "value information",
    14: "quantization annotations",
    15: "sparse initializers",
    16: "metadata",
}
NODE: Final = {
    3: "a name",
    6: "a doc string",
    7: "a domain",
    8: "an overload",
    9: "metadata",
    10: "a device configuration",
}
ATTRIBUTE: Final = {
    2: "a float",
    4: "a string",
    5: "a tensor",
    6: "a subgraph",
    7: "floats",
    8: "integers",
    9: "strings",
    10: "tensors",
    11: "subgraphs",
    13: "a doc string",
    14: "a type",
    15: "types",
    21: "a reference to an attribute",
    22: "a sparse tensor",
    23: "sparse tensors",
}
TENSOR: Final = {
    3: "a segment",
    4: "float_data beside raw data",
    5: "int32_data beside raw data",
    6: "strings",
    7: "int64_data beside raw data",
    10: "double_data beside raw data",
    11: "uint64_data beside raw data",
    12: "a doc string",
    13: "external data",
    14: "a data location",
    16: "metadata",
}
VALUE: Final = {3: "a doc string", 4: "metadata"}
TYPE: Final = {
    4: "a sequence type",
    5: "a map type",
    6: "a denotation",
    7: "an opaque type",
    8: "a sparse tensor type",
    9: "an optional type",
}
DIMENSION: Final = {3: "a denotation"}
