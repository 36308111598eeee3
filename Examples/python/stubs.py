"""Makes Kith's Python classes from Protos/ and puts them on the import path: import this before `kith.v1`."""

import importlib.resources
import pathlib
import sys
import tempfile

from grpc_tools import protoc

# Google's own messages (Timestamp, Any ...) come with grpc_tools.
_google = importlib.resources.files("grpc_tools") / "_proto"
_protos = pathlib.Path(__file__).resolve().parents[2] / "Protos"
_folder = tempfile.TemporaryDirectory(prefix="kith-stubs-")
_files = [*_protos.glob("kith/v1/*.proto"), _protos / "google/rpc/error.proto"]

_outputs = [f"--python_out={_folder.name}", f"--grpc_python_out={_folder.name}"]
if protoc.main(["", f"-I{_protos}", f"-I{_google}", *_outputs, *map(str, _files)]):
    sys.exit("protoc could not compile Protos/")
sys.path.insert(0, _folder.name)
