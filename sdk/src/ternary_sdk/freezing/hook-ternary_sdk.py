"""What PyInstaller must take along beside the modules, and what it must not."""

from PyInstaller.utils.hooks import collect_data_files, copy_metadata

_SHOWN = "ternary-sdk", "numpy", "onnxruntime", "cryptography"

# The evaluation package and the table of normal quantiles; the versions that `doctor` shows.
datas = [
    *collect_data_files("ternary_sdk"),
    *(file for name in _SHOWN for file in copy_metadata(name)),
]

# Named in types alone. A program that turns draws into a table imports the one that it uses by itself.
excludedimports = ["pandas", "pyarrow"]
