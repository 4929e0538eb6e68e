"""Running pure tasks on executors: this machine's processes, or a cluster."""
