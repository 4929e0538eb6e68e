"""The hostile corpus: each graph is a good decoder with one trick in it, and is refused for that trick."""

import struct
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.encoders import encoder_of

from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import DECODER, ENCODER
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import STANDARD

State = dict[str, npt.NDArray[np.float32]]
Model = onnx.ModelProto
NAME = "decoder_A.onnx"
PARAMETERS = 4411


def inspect(model: bytes) -> None:
    firewall.inspect(model, what=NAME, interface=DECODER, parameters=PARAMETERS)


def refusal(model: bytes) -> str:
    with pytest.raises(FormatError) as found:
        inspect(model)
    return str(found.value)


@pytest.fixture(scope="module")
def good(untrained: Callable[[int], State]) -> bytes:
    return decoder_graph(untrained(1), "A")


@pytest.mark.parametrize("path", ["A", "B"])
def test_every_graph_we_write_passes(untrained: Callable[[int], State], path: str) -> None:
    state = untrained(2)
    for role, write, interface in (("encoder", encoder_graph, ENCODER), ("decoder", decoder_graph, DECODER)):
        parameters = sum(v.size for k, v in state.items() if k.startswith(f"{role}_{path}."))
        firewall.inspect(write(state, path), what="graph", interface=interface, parameters=parameters)


def attribute(model: Model, node: int, name: str) -> onnx.AttributeProto:
    found: onnx.AttributeProto = next(a for a in model.graph.node[node].attribute if a.name == name)
    return found


def set_operator(model: Model, node: int, operator: str) -> None:
    model.graph.node[node].op_type = operator


def attach(model: Model, operator: str, inputs: list[str], output: str, **attributes: int) -> None:
    """One more node at the end, number 15."""
    model.graph.node.append(helper.make_node(operator, inputs, [output], **attributes))


def store(model: Model, name: str, value: npt.NDArray[np.generic]) -> None:
    """A constant, in place of the one of that name if there is one."""
    kept = [tensor for tensor in model.graph.initializer if tensor.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, numpy_helper.from_array(value, name)])


def externalize(model: Model) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def external_in_constant(model: Model) -> None:
    value = numpy_helper.from_array(np.zeros(1, np.float32), "secret")
    value.external_data.add(key="location", value="weights.bin")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["secret"], value=value))


def only_location(model: Model) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def subgraph(model: Model) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(
        helper.make_node("If", ["latents"], ["never"], then_branch=body, else_branch=body)
    )


def function(model: Model) -> None:
    model.functions.add(name="f", domain="x")


def training(model: Model) -> None:
    model.training_info.add()


def metadata(model: Model) -> None:
    model.metadata_props.add(key="path", value="/home/someone")


def node_metadata(model: Model) -> None:
    model.graph.node[0].metadata_props.add(key="source", value="x.py")


def tensor_metadata(model: Model) -> None:
    model.graph.initializer[0].metadata_props.add(key="source", value="x.py")


def graph_metadata(model: Model) -> None:
    model.graph.metadata_props.add(key="source", value="x.py")


def foreign_domain(model: Model) -> None:
    model.opset_import.add(domain="com.microsoft", version=1)


def foreign_node(model: Model) -> None:
    model.graph.node[0].domain = "com.microsoft"


def sparse(model: Model) -> None:
    model.graph.sparse_initializer.add()


def memory_bomb(model: Model) -> None:
    shape = numpy_helper.from_array(np.array([2**40], np.int64), "bomb.shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("ConstantOfShape", ["bomb.shape"], ["bomb"]))


def huge_dimensions(model: Model) -> None:
    tensor = model.graph.initializer[0]
    del tensor.dims[:]
    tensor.dims.extend([2**62, 2**62])


def negative_dimension(model: Model) -> None:
    model.graph.initializer[0].dims[0] = -32


def short_data(model: Model) -> None:
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]


def float_data(model: Model) -> None:
    model.graph.initializer[0].float_data.append(1.0)


def double_tensor(model: Model) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_type = TensorProto.DOUBLE
    tensor.raw_data = tensor.raw_data * 2


def string_tensor(model: Model) -> None:
    model.graph.initializer[0].data_type = TensorProto.STRING


def not_a_number(model: Model) -> None:
    tensor = model.graph.initializer[0]
    tensor.raw_data = struct.pack("<f", float("nan")) + tensor.raw_data[4:]


def infinite(model: Model) -> None:
    tensor = model.graph.initializer[1]
    tensor.raw_data = struct.pack("<f", float("inf")) + tensor.raw_data[4:]


def hidden_weights(model: Model) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(4, np.float32), "payload"))


def hidden_node(model: Model) -> None:
    model.graph.node.append(helper.make_node("Relu", ["latents"], ["aside"]))


def twice_stored(model: Model) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def twice_computed(model: Model) -> None:
    model.graph.node.append(helper.make_node("Relu", ["hidden.0"], ["hidden.0.relu"]))


def overwritten_input(model: Model) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 16), np.float32), "latents"))


def backwards(model: Model) -> None:
    model.graph.node.insert(0, model.graph.node[1])
    del model.graph.node[2]


def squared_batch(model: Model) -> None:
    """Two vectors of the batch's length, multiplied into a matrix that grows with its square."""
    store(model, "zero", np.zeros((), np.float32))
    attach(model, "Gemm", ["hidden.0", "hidden.0", "zero"], "square", transB=1)


def wide_row(model: Model) -> None:
    store(model, "zero", np.zeros((), np.float32))
    store(model, "wide", np.zeros((2000, 16), np.float32))
    attach(model, "Gemm", ["latents", "wide", "zero"], "row", transB=1)


def many_nodes(model: Model) -> None:
    model.graph.node.extend(helper.make_node("Relu", ["latents"], [f"r{i}"]) for i in range(64))


def many_tensors(model: Model) -> None:
    zero = np.zeros(1, np.float32)
    model.graph.initializer.extend(numpy_helper.from_array(zero, f"z{i}") for i in range(64))


def many_axes(model: Model) -> None:
    store(model, "place", np.zeros((1, 1, 1, 18), np.float32))


def other_output(model: Model) -> None:
    model.graph.output[0].name = "indices"


def output_type(model: Model) -> None:
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64


def third_output(model: Model) -> None:
    model.graph.output.append(helper.make_tensor_value_info("hidden.0", TensorProto.FLOAT, ["n", 32]))


def second_input(model: Model) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["n", 32]))


def fixed_batch(model: Model) -> None:
    dimension = model.graph.input[0].type.tensor_type.shape.dim[0]
    dimension.Clear()
    dimension.dim_value = 1


def other_symbol(model: Model) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"


def denotation(model: Model) -> None:
    model.graph.input[0].type.denotation = "IMAGE"


def sequence_input(model: Model) -> None:
    element = model.graph.input[0].type
    element.Clear()
    element.sequence_type.elem_type.tensor_type.elem_type = TensorProto.FLOAT


def float_attribute(model: Model) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("alpha", 0.5))


def unknown_attribute(model: Model) -> None:
    model.graph.node[1].attribute.append(helper.make_attribute("consumed_inputs", 1))


def attribute_twice(model: Model) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("transB", 0))


def attribute_reference(model: Model) -> None:
    attribute(model, 0, "transB").ref_attr_name = "x"


def cast(node: int, element: int) -> Callable[[Model], None]:
    return lambda model: setattr(attribute(model, node, "to"), "i", element)


def cast_to_nothing(model: Model) -> None:
    del model.graph.node[-1].attribute[:]


def set_inputs(node: int, *names: str) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        del model.graph.node[node].input[:]
        model.graph.node[node].input.extend(names)

    return change


def unequal_bits(model: Model) -> None:
    attach(model, "Or", ["bits", "digit.is.two"], "either")


def join_columns(model: Model) -> None:
    attribute(model, 11, "axis").i = 1


def join_from_the_end(model: Model) -> None:
    attribute(model, 11, "axis").i = -2


def join_anywhere(model: Model) -> None:
    del model.graph.node[11].attribute[:]


def doubled_batch(model: Model) -> None:
    attach(model, "Greater", ["hidden.0", "hidden.0"], "never")
    attach(model, "Concat", ["never", "never"], "twice", axis=0)


def doubled_vector(model: Model) -> None:
    attach(model, "Greater", ["index.float", "index.float"], "never")
    attach(model, "Concat", ["never", "never"], "twice", axis=0)


def doubling(model: Model, times: int) -> str:
    """Joins the 18 rows of bits with themselves again and again."""
    rows = "bits"
    for power in range(1, times + 1):
        attach(model, "Concat", [rows, rows], f"bits.{power}", axis=0)
        rows = f"bits.{power}"
    return rows


def doubled_rows(model: Model) -> None:
    doubling(model, 6)


def features_doubled(model: Model) -> None:
    rows = "hidden.0"
    for power in range(6):
        attach(model, "Concat", [rows, rows], f"wide.{power}", axis=1)
        rows = f"wide.{power}"


def slopes(*shape: int, kind: type[np.generic] = np.float32) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        store(model, "slopes", np.ones(shape, kind))
        attach(model, "PRelu", ["hidden.0", "slopes"], "bent")

    return change


def endless_slope(model: Model) -> None:
    store(model, "slopes", np.full(1, np.inf, np.float32))
    model.graph.node[1].input[0] = "bent"
    model.graph.node.insert(1, helper.make_node("PRelu", ["hidden.0", "slopes"], ["bent"]))


def shared_weights_bent(model: Model) -> None:
    """A layer's weights by a detour, so that they would be used twice and counted once."""
    attach(model, "Tanh", ["decoder_A.decoder.0.weight"], "bent")
    store(model, "zero", np.zeros((), np.float32))
    attach(model, "Gemm", ["latents", "bent", "zero"], "again", transB=1)


def short_vector(model: Model) -> None:
    store(model, "place", np.ones(17, np.float32))


def vector_of_integers(model: Model) -> None:
    store(model, "place", np.ones(18, np.int64))


def layer_without_parameters(model: Model) -> None:
    store(model, "place", np.ones((2, 18), np.float32))


def product_over_batch(model: Model) -> None:
    store(model, "weights", np.ones(32, np.float32))
    attach(model, "MatMul", ["weights", "hidden.0"], "row")


def product_of_a_stack(model: Model) -> None:
    store(model, "weights", np.ones(3, np.float32))
    attach(model, "MatMul", ["weights", "logits"], "row")


def product_without_the_batch(model: Model) -> None:
    store(model, "weights", np.ones((18, 4), np.float32))
    attach(model, "MatMul", ["place", "weights"], "row")


def weights_in_vectors(model: Model) -> None:
    """Two products that are used, and whose weights nobody counts as parameters."""
    cast_back = model.graph.node.pop()
    attach(model, "Cast", [doubling(model, 5)], "many", to=TensorProto.FLOAT)
    for name in ("first", "second"):
        store(model, name, np.ones(576, np.float32))
        attach(model, "MatMul", [name, "many"], f"{name}.product")
    attach(model, "Add", ["first.product", "second.product"], "products")
    attach(model, "Add", ["products", "index.float"], "altered")
    cast_back.input[0] = "altered"
    model.graph.node.append(cast_back)


def uneven_split(model: Model) -> None:
    node = next(node for node in model.graph.node if node.op_type == "Split")
    node.output.append("class.3")


def reshape_elsewhere(model: Model) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == "logits.shape")
    tensor.raw_data = struct.pack("<qqq", 9, 3, -1)


def control_characters(model: Model) -> None:
    model.graph.name = "decoder\x1b[2J"


def set_field(name: str, value: object) -> Callable[[Model], None]:
    return lambda model: setattr(model, name, value)


def set_graph_field(name: str, value: object) -> Callable[[Model], None]:
    return lambda model: setattr(model.graph, name, value)


def set_node_field(name: str, value: object) -> Callable[[Model], None]:
    return lambda model: setattr(model.graph.node[0], name, value)


ALLOWED = (
    "Add, Cast, Concat, Elu, Gelu, Gemm, Greater, MatMul, Max, Mul, Or, PRelu, ReduceSum, Relu, Reshape, "
    "Sigmoid, Softplus, Split, Tanh, Where"
)
CASTS = "expected float32 to 6 or bool to 1"
JOINS = "expected bool, first axis, batch last; or float32, second axis, batch first"
INPUTS = "latents float32 ('n', 16)"
OUTPUTS = "index int32 ('n',), logits float32 (3, 9, 'n')"


def interface(inputs: str = INPUTS, outputs: str = OUTPUTS) -> str:
    return f"has the interface ({inputs}) -> ({outputs}), expected ({INPUTS}) -> ({OUTPUTS})"


TRICKS: dict[str, tuple[Callable[[Model], object], str]] = {
    "external data": (externalize, "initializer 0: holds external data, expected none"),
    "an external location alone": (only_location, "initializer 0: holds a data location, expected none"),
    "external data in an attribute": (
        external_in_constant,
        "node 0: attribute: holds a tensor, expected none",
    ),
    "a subgraph": (subgraph, "node 15: attribute: holds a subgraph, expected none"),
    "a function": (function, "holds functions, expected none"),
    "training information": (training, "holds training information, expected none"),
    "metadata": (metadata, "holds metadata, expected none"),
    "metadata of a node": (node_metadata, "node 0: holds metadata, expected none"),
    "metadata of a tensor": (tensor_metadata, "initializer 0: holds metadata, expected none"),
    "metadata of the graph": (graph_metadata, "graph: holds metadata, expected none"),
    "a doc string": (set_field("doc_string", "x"), "holds a doc string, expected none"),
    "a doc string of the graph": (
        set_graph_field("doc_string", "x"),
        "graph: holds a doc string, expected none",
    ),
    "a doc string of a node": (
        set_node_field("doc_string", "x"),
        "node 0: holds a doc string, expected none",
    ),
    "a name of a node": (set_node_field("name", "x"), "node 0: holds a name, expected none"),
    "an overload": (set_node_field("overload", "x"), "node 0: holds an overload, expected none"),
    "a producer": (set_field("producer_name", "x"), "holds a producer name, expected none"),
    "a producer version": (set_field("producer_version", "1"), "holds a producer version, expected none"),
    "a model version": (set_field("model_version", 1), "holds a model version, expected none"),
    "a domain of the model": (set_field("domain", "x"), "holds a domain, expected none"),
    "an older IR": (set_field("ir_version", 3), "IR version 3, expected 10"),
    "a newer IR": (set_field("ir_version", 11), "IR version 11, expected 10"),
    "an older operator set": (
        lambda model: setattr(model.opset_import[0], "version", 9),
        "operator set '' 9, expected the default one, 20",
    ),
    "a second operator set": (foreign_domain, "2 operator sets, expected one"),
    "an operator of another domain": (foreign_node, "node 0: holds a domain, expected none"),
    "a sparse tensor": (sparse, "graph: holds sparse initializers, expected none"),
    "an operator that asks for all memory": (
        memory_bomb,
        f"node 15 (ConstantOfShape): the operator is not one of {ALLOWED}",
    ),
    "an operator that loops": (
        lambda model: set_operator(model, 1, "Loop"),
        f"node 1 (Loop): the operator is not one of {ALLOWED}",
    ),
    "an operator that is random": (
        lambda model: set_operator(model, 1, "RandomNormalLike"),
        f"node 1 (RandomNormalLike): the operator is not one of {ALLOWED}",
    ),
    "dimensions that overflow": (
        huge_dimensions,
        "initializer 0 'decoder_A.decoder.0.weight' has shape (4611686018427387904, 4611686018427387904), "
        "expected 1 to 2097152 elements",
    ),
    "a negative dimension": (
        negative_dimension,
        "initializer 0 'decoder_A.decoder.0.weight' has shape (18446744073709551584, 16), "
        "expected 1 to 2097152 elements",
    ),
    "too little data": (
        short_data,
        "initializer 0 'decoder_A.decoder.0.weight' holds 2044 bytes, its shape (32, 16) needs 2048",
    ),
    "data in two places": (float_data, "initializer 0: holds float_data beside raw data, expected none"),
    "doubles": (
        double_tensor,
        "initializer 0 'decoder_A.decoder.0.weight' has element type 11, expected float32 or int64",
    ),
    "strings": (
        string_tensor,
        "initializer 0 'decoder_A.decoder.0.weight' has element type 8, expected float32 or int64",
    ),
    "not a number": (
        not_a_number,
        "initializer 'decoder_A.decoder.0.weight' holds a value that is not finite",
    ),
    "infinity": (infinite, "initializer 'decoder_A.decoder.0.bias' holds a value that is not finite"),
    "a tensor that nothing uses": (hidden_weights, "'payload' is stored or computed but never used"),
    "a node that nothing uses": (hidden_node, "'aside' is stored or computed but never used"),
    "two tensors of one name": (
        twice_stored,
        "two initializers are called 'decoder_A.decoder.0.weight'",
    ),
    "two results of one name": (
        twice_computed,
        "node 15 (Relu): its result 'hidden.0.relu' already has a meaning, or no name",
    ),
    "a tensor in place of the input": (overwritten_input, "initializer 'latents' hides an input"),
    "nodes out of order": (
        backwards,
        "node 0 (Relu): reads 'hidden.0', which nothing before it computes",
    ),
    "a matrix of the batch by itself": (
        squared_batch,
        "node 15 (Gemm): expected one stored matrix times one that is computed",
    ),
    "a very wide row": (wide_row, "node 15 (Gemm): gives shape (n, 2000), more than 1024 a row"),
    "too many nodes": (many_nodes, "79 nodes, expected at most 64"),
    "too many tensors": (many_tensors, "72 initializers, expected at most 64"),
    "a constant of too many axes": (
        many_axes,
        "node 13 (MatMul): its left side is (1, 1, 1, 18), expected a stored vector",
    ),
    "an output of another name": (other_output, interface(outputs=OUTPUTS.replace("index", "indices"))),
    "an output of another type": (
        output_type,
        "output 0 'index': type has element type 7, expected float32 or int32",
    ),
    "a third output": (third_output, interface(outputs=f"{OUTPUTS}, hidden.0 float32 ('n', 32)")),
    "a second input": (second_input, interface(inputs=f"{INPUTS}, more float32 ('n', 32)")),
    "a batch of one": (fixed_batch, interface(inputs="latents float32 (1, 16)")),
    "another name of the batch": (
        other_symbol,
        "input 0 'latents': type has an axis 'batch', expected a length or 'n'",
    ),
    "a denotation": (denotation, "input 0 'latents': type: holds a denotation, expected none"),
    "an input that is no tensor": (
        sequence_input,
        "input 0 'latents': type: holds a sequence type, expected none",
    ),
    "an attribute that scales": (
        float_attribute,
        "node 0: attribute: field 2 has wire type 5, expected 0 or 2",
    ),
    "an attribute that does not belong": (
        unknown_attribute,
        "node 1 (Relu): attribute 'consumed_inputs' is not allowed",
    ),
    "an attribute twice": (attribute_twice, "node 0: attribute 'transB' appears twice"),
    "an attribute by reference": (
        attribute_reference,
        "node 0: attribute: holds a reference to an attribute, expected none",
    ),
    "a cast to strings": (
        cast(14, TensorProto.STRING),
        f"node 14 (Cast): casts float32 to element type 8, {CASTS}",
    ),
    "a cast to nothing": (cast_to_nothing, f"node 14 (Cast): casts float32 to element type 0, {CASTS}"),
    "a cast to what it is": (cast(14, 1), f"node 14 (Cast): casts float32 to element type 1, {CASTS}"),
    "a cast of bits to integers": (cast(12, 6), f"node 12 (Cast): casts bool to element type 6, {CASTS}"),
    "an or of numbers": (set_inputs(10, "class.0", "class.1"), "node 10 (Or): takes float32, expected bool"),
    "an or of a bit and a number": (
        set_inputs(10, "digit.is.two", "class.1"),
        "node 10 (Or): takes float32, expected bool",
    ),
    "an or of unequal rows": (unequal_bits, "node 15 (Or): pairs (18, n) with (9, n)"),
    "an or of one": (set_inputs(10, "digit.is.two"), "node 10 (Or): 1 inputs, expected 2"),
    "an or with an attribute": (
        lambda model: model.graph.node[10].attribute.append(helper.make_attribute("axis", 0)),
        "node 10 (Or): attribute 'axis' is not allowed",
    ),
    "a comparison of bits": (
        set_inputs(9, "middle.wins", "middle.wins"),
        "node 9 (Greater): takes bool, expected float32",
    ),
    "a join of numbers": (
        set_inputs(11, "class.0", "class.1"),
        f"node 11 (Concat): joins float32 (9, n) and (9, n), {JOINS}",
    ),
    "a join of one": (set_inputs(11, "digit.is.two"), "node 11 (Concat): 1 inputs, expected 2 or more"),
    "a join of three": (
        set_inputs(11, "digit.is.two", "digit.is.two", "digit.is.two"),
        "node 13 (MatMul): multiplies (18) with (27, n)",
    ),
    "a join of features along the batch": (
        lambda model: attach(model, "Concat", ["hidden.0", "hidden.0"], "twice", axis=0),
        f"node 15 (Concat): joins float32 (n, 32) and (n, 32), {JOINS}",
    ),
    "a join of features along no axis": (
        lambda model: attach(model, "Concat", ["hidden.0", "hidden.0"], "twice"),
        f"node 15 (Concat): joins float32 (n, 32) and (n, 32), {JOINS}",
    ),
    "a join of features beside places": (
        lambda model: attach(model, "Concat", ["hidden.0", "place"], "twice", axis=1),
        f"node 15 (Concat): joins float32 (n, 32) and (18), {JOINS}",
    ),
    "a join of features and bits": (
        lambda model: attach(model, "Concat", ["hidden.0", "bits"], "twice", axis=1),
        "node 15 (Concat): takes bool, expected float32",
    ),
    "a join of shapes": (
        lambda model: attach(model, "Concat", ["logits.shape", "logits.shape"], "twice", axis=0),
        f"node 15 (Concat): joins int64 (3) and (3), {JOINS}",
    ),
    "joins of features that double and double": (
        features_doubled,
        "node 20 (Concat): gives shape (n, 2048), more than 1024 a row",
    ),
    "a product of unequal features": (
        lambda model: attach(model, "Mul", ["latents", "hidden.0"], "gated"),
        "node 15 (Mul): pairs (n, 16) with (n, 32)",
    ),
    "a product of features and one number": (
        lambda model: attach(model, "Mul", ["hidden.0", "place"], "scaled"),
        "node 15 (Mul): pairs (n, 32) with (18)",
    ),
    "an activation of bits": (
        lambda model: attach(model, "Sigmoid", ["bits"], "soft"),
        "node 15 (Sigmoid): takes bool, expected float32",
    ),
    "an activation of an index": (
        lambda model: attach(model, "Tanh", ["index"], "soft"),
        "node 15 (Tanh): takes int32, expected float32",
    ),
    "an activation with a number of its own": (
        lambda model: attach(model, "Elu", ["hidden.0"], "bent", alpha=2),
        "node 15 (Elu): attribute 'alpha' is not allowed",
    ),
    "an activation that is approximated": (
        lambda model: model.graph.node.append(
            helper.make_node("Gelu", ["hidden.0"], ["bent"], approximate="tanh")
        ),
        "node 15: attribute: holds a string, expected none",
    ),
    "an activation of two": (
        lambda model: attach(model, "Softplus", ["hidden.0", "hidden.0"], "bent"),
        "node 15 (Softplus): 2 inputs, expected 1",
    ),
    "a slope for each feature": (
        slopes(32),
        "node 15 (PRelu): its slope is (32), expected one stored number",
    ),
    "a slope without an axis": (slopes(), "node 15 (PRelu): its slope is (), expected one stored number"),
    "a slope of integers": (slopes(1, kind=np.int64), "node 15 (PRelu): takes int64, expected float32"),
    "a slope that is computed": (
        lambda model: attach(model, "PRelu", ["hidden.0", "hidden.0"], "bent"),
        "node 15 (PRelu): its slope is (n, 32), expected one stored number",
    ),
    "a slope without end": (
        endless_slope,
        "initializer 'slopes' holds a value that is not finite",
    ),
    "weights by a detour": (
        shared_weights_bent,
        "node 16 (Gemm): expected one stored matrix times one that is computed",
    ),
    "a join of columns": (join_columns, f"node 11 (Concat): joins bool (9, n) and (9, n), {JOINS}"),
    "a join along an axis from the end": (
        join_from_the_end,
        f"node 11 (Concat): joins bool (9, n) and (9, n), {JOINS}",
    ),
    "a join along no axis": (join_anywhere, f"node 11 (Concat): joins bool (9, n) and (9, n), {JOINS}"),
    "a join along the batch": (doubled_batch, f"node 16 (Concat): joins bool (n, 32) and (n, 32), {JOINS}"),
    "a join of vectors": (doubled_vector, f"node 16 (Concat): joins bool (n) and (n), {JOINS}"),
    "joins that double and double": (
        doubled_rows,
        "node 20 (Concat): gives shape (1152, n), more than 1024 a row",
    ),
    "a product of bits": (set_inputs(13, "place", "bits"), "node 13 (MatMul): takes bool, expected float32"),
    "a product with integers": (vector_of_integers, "node 13 (MatMul): takes int64, expected float32"),
    "a product of two results": (
        set_inputs(13, "class.0", "bits.float"),
        "node 13 (MatMul): its left side is (9, n), expected a stored vector",
    ),
    "a product of the batch by itself": (
        lambda model: attach(model, "MatMul", ["index.float", "index.float"], "square"),
        "node 15 (MatMul): its left side is (n), expected a stored vector",
    ),
    "a layer that is no Gemm": (
        layer_without_parameters,
        "node 13 (MatMul): its left side is (2, 18), expected a stored vector",
    ),
    "a product with too few numbers": (short_vector, "node 13 (MatMul): multiplies (17) with (18, n)"),
    "a product over the batch": (product_over_batch, "node 15 (MatMul): multiplies (32) with (n, 32)"),
    "a product of a stack": (product_of_a_stack, "node 15 (MatMul): multiplies (3) with (3, 9, n)"),
    "a product without the batch": (
        product_without_the_batch,
        "node 15 (MatMul): multiplies (18) with (18, 4)",
    ),
    "a product with an attribute": (
        lambda model: model.graph.node[13].attribute.append(helper.make_attribute("transB", 1)),
        "node 13 (MatMul): attribute 'transB' is not allowed",
    ),
    "weights as vectors of products": (
        weights_in_vectors,
        "holds 1173 other constants, expected at most 1024",
    ),
    "a split into unequal parts": (
        uneven_split,
        "node 6 (Split): splits 27 rows into 3, expected equal parts",
    ),
    "logits in another order": (
        reshape_elsewhere,
        "output 'logits' is float32 (9, 3, 'n'), declared float32 (3, 9, 'n')",
    ),
    "control characters in a name": (
        control_characters,
        "graph: name is not printable ASCII of at most 128 characters",
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_graph_with_one_trick_is_refused(good: bytes, trick: str) -> None:
    change, sentence = TRICKS[trick]
    model = onnx.load_from_string(good)
    change(model)
    assert refusal(model.SerializeToString(deterministic=True)) == f"{NAME}: {sentence}"


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(encoded + bytes([value]))


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def parts(model: bytes) -> tuple[bytes, bytes, bytes]:
    """A good model's version fields, its graph, and its operator set, as they stand in the file."""
    parsed = onnx.load_from_string(model)
    graph = field(7, parsed.graph.SerializeToString(deterministic=True))
    start = model.index(graph)
    return model[:start], graph, model[start + len(graph) :]


WIRE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda good: b"", "0 values of ir_version, expected one"),
    "a second graph": (
        lambda good: parts(good)[0] + parts(good)[1] * 2 + parts(good)[2],
        "2 values of graph, expected one",
    ),
    "a second version": (lambda good: b"\x08\x0a" + good, "2 values of ir_version, expected one"),
    "fields out of order": (
        lambda good: parts(good)[2] + parts(good)[0] + parts(good)[1],
        "field 1 after field 8, expected ascending order",
    ),
    "an unknown field": (
        lambda good: good + field(1000, b"x"),
        "holds an unknown field, number 1000, expected none",
    ),
    "field number 0": (lambda good: good + b"\x02\x00", "field number 0"),
    "a group": (lambda good: good + b"\x7b\x7c", "field 15 has wire type 3, expected 0 or 2"),
    "a fixed-width scalar": (
        lambda good: good + b"\x79" + bytes(8),
        "field 15 has wire type 1, expected 0 or 2",
    ),
    "an integer longer than needed": (
        lambda good: b"\x08\x8a\x00" + good[2:],
        "an integer at byte 1 is longer than needed or beyond 64 bits",
    ),
    "an integer beyond 64 bits": (
        lambda good: b"\x08" + b"\xff" * 9 + b"\x7f" + good[2:],
        "an integer at byte 1 is longer than needed or beyond 64 bits",
    ),
    "an integer without end": (
        lambda good: b"\x08" + b"\xff" * 20 + good[2:],
        "an integer at byte 1 is truncated or longer than 10 bytes",
    ),
    "a length beyond the end": (
        lambda good: good + b"\x7a\xff\xff\xff\xff\x0f",
        "field 15 is 4294967295 bytes long, 0 are left",
    ),
    "a graph that is an integer": (
        lambda good: parts(good)[0] + b"\x38\x01" + parts(good)[2],
        "graph is an integer, expected bytes",
    ),
    "very many fields": (
        lambda good: good + b"\x78\x01" * 5000,
        "more than 4096 fields",
    ),
    "a truncated file": (
        lambda good: good[:-1],
        "field 8 is 4 bytes long, 3 are left",
    ),
    "too large a file": (
        lambda good: bytes((8 << 20) + 1),
        "8388609 bytes, expected at most 8388608",
    ),
}


@pytest.mark.parametrize("trick", WIRE)
def test_bytes_that_are_no_plain_protobuf_are_refused(good: bytes, trick: str) -> None:
    change, sentence = WIRE[trick]
    assert refusal(change(good)) == f"{NAME}: {sentence}"


def test_a_parameter_more_than_the_manifest_says_is_refused(good: bytes) -> None:
    with pytest.raises(FormatError) as found:
        firewall.inspect(good, what=NAME, interface=DECODER, parameters=4410)
    assert str(found.value) == f"{NAME}: holds 4411 parameters, the manifest says 4410"


def test_an_encoder_in_place_of_a_decoder_is_refused(untrained: Callable[[int], State]) -> None:
    assert refusal(encoder_graph(untrained(1), "A")).startswith(
        f"{NAME}: has the interface (operations float32 ('n', 9)) -> "
    )


def without(model: Model, output: str) -> None:
    """An encoder without one of its outputs, and without the layer that gives it."""
    (layer,) = (node for node in model.graph.node if output in node.output)
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in layer.input]
    outputs = [value for value in model.graph.output if value.name != output]
    model.graph.node.remove(layer)
    del model.graph.initializer[:], model.graph.output[:]
    model.graph.initializer.extend(kept)
    model.graph.output.extend(outputs)


def test_an_encoder_may_give_the_mean_alone(untrained: Callable[[int], State]) -> None:
    model = onnx.load_from_string(encoder_graph(untrained(1), "A"))
    without(model, "log_variance")
    data = model.SerializeToString(deterministic=True)
    firewall.inspect(data, what=NAME, interface=ENCODER, parameters=45_792 - 65 * 16)


@pytest.mark.parametrize("left_out", [["mean"], ["mean", "log_variance"]], ids=len)
def test_an_encoder_without_its_mean_is_refused(
    untrained: Callable[[int], State], left_out: list[str]
) -> None:
    model = onnx.load_from_string(encoder_graph(untrained(1), "A"))
    for output in left_out:
        without(model, output)
    data = model.SerializeToString(deterministic=True)
    with pytest.raises(FormatError, match=r"has the interface .* expected "):
        firewall.inspect(data, what=NAME, interface=ENCODER, parameters=None)


def test_weights_that_take_a_detour_around_their_count_are_refused(
    untrained: Callable[[int], State],
) -> None:
    model = onnx.load_from_string(encoder_graph(untrained(1), "A"))
    for node in [node for node in model.graph.node if node.output[0] in ("mean", "log_variance")]:
        model.graph.node.insert(0, helper.make_node("Relu", [node.input[1]], [f"{node.input[1]}.detour"]))
        node.input[1] += ".detour"
    data = model.SerializeToString(deterministic=True)
    with pytest.raises(FormatError) as found:
        firewall.inspect(data, what=NAME, interface=ENCODER, parameters=45_792 - 2048)
    assert str(found.value) == f"{NAME}: node 8 (Gemm): expected one stored matrix times one that is computed"


def costly(widths: list[int], *activations: str) -> int:
    data = encoder_of(STANDARD, widths, *activations)
    return firewall.inspect(data, what=NAME, interface=ENCODER, parameters=None)


@pytest.mark.parametrize(
    ("widths", "activations", "cost"),
    [
        ([1008], ["Softplus"] * 2, 65_536),
        ([1024], ["Relu"] * 62, 63 * 1024 + 16),
        ([1024], ["Tanh", "Sigmoid", "Gelu", "Elu"], 17 * 1024 + 16),
    ],
    ids=["the most", "relus", "one of each"],
)
def test_activations_are_paid_for_by_their_operator(
    widths: list[int], activations: list[str], cost: int
) -> None:
    parameters = 10 * widths[0] + 16 * (widths[0] + 1)
    assert costly(widths, *activations) == parameters + 32 * cost


@pytest.mark.parametrize(
    ("width", "activations", "cost"),
    [
        (1009, ["Softplus"] * 2, 65_601),
        (1024, ["Softplus"] * 62, 2_032_656),
        (1024, ["Elu"] * 62, 508_944),
        (1024, ["Gelu"] * 62, 254_992),
        (1024, ["Tanh"] * 62, 128_016),
    ],
    ids=["one number more", "softplus", "elu", "gelu", "tanh"],
)
def test_activations_that_cost_more_than_a_graph_may_are_refused(
    width: int, activations: list[str], cost: int
) -> None:
    with pytest.raises(FormatError) as found:
        costly([width], *activations)
    assert str(found.value) == f"{NAME}: costs {cost} weighted elements a row, expected at most 65536"


def test_inspecting_takes_milliseconds(good: bytes) -> None:
    inspect(good)
    started = time.perf_counter()
    for _ in range(10):
        inspect(good)
    assert time.perf_counter() - started < 1


def test_the_largest_hostile_file_is_refused_quickly() -> None:
    model = b"\x08\x0a" + field(7, b"\x0a\x00" * (4 << 20))[: 8 << 20]
    started = time.perf_counter()
    with pytest.raises(FormatError):
        inspect(model[: 8 << 20])
    assert time.perf_counter() - started < 2
