"""Every example runs, as it stands, and does what its first lines say."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

from ternary_sdk import Model
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.space import TERNARY_2

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*command, folder, status=0):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={
            "PATH": path,
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": os.environ["OMP_NUM_THREADS"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_operations_with_parameters_are_the_same_for_the_same_seed_and_no_other(tmp_path):
    example = sys.executable, EXAMPLES / "operations_with_parameters.py"
    drawn = run(*example, folder=tmp_path).stdout
    assert run(*example, "7", folder=tmp_path).stdout == drawn
    head, *rows = drawn.splitlines()
    assert head == "index,threshold,delay_ns"
    index, threshold, delay = np.loadtxt(rows, delimiter=",").T
    with Model.evaluation() as model:
        assert index.tolist() == model.sample(100, unique=True, seed=7).index.tolist()
    assert threshold[:2].tolist() == [0.723244, 0.452059]  # words 0 and 2 of Philox 4x64 under the key 7
    assert 0.2 <= threshold.min() < threshold.max() < 0.8
    square = TERNARY_2.from_index(index.astype(np.int64)).reshape(-1, 3, 3)
    differing = sum(np.count_nonzero(np.diff(square, axis=axis), axis=(1, 2)) for axis in (1, 2))
    beyond = delay - 2 - 0.5 * differing
    assert 0 <= beyond.min() < 0.1 < 0.9 < beyond.max() <= 1
    assert run(*example, "8", folder=tmp_path).stdout != drawn


@pytest.mark.parametrize(
    ("seed", "status", "message"),
    [
        ("seven", 2, "error: seed: 'seven', expected an integer\n"),
        ("-1", 1, "error: seed: -1, expected 0 to 18,446,744,073,709,551,615\n"),
    ],
)
def test_operations_with_parameters_refuse_a_seed_that_is_none(tmp_path, seed, status, message):
    example = sys.executable, EXAMPLES / "operations_with_parameters.py"
    done = run(*example, seed, folder=tmp_path, status=status)
    assert (done.stdout, done.stderr) == ("", message)


@pytest.fixture(scope="module")
def acme(release, tmp_path_factory):
    """A release of this module's own, where commands may leave files."""
    return Path(shutil.copytree(release, tmp_path_factory.mktemp("acme") / "here"))


def test_the_embedded_client_works_with_no_files_at_all(tmp_path):
    done = run(sys.executable, EXAMPLES / "embedded_client.py", folder=tmp_path)
    first, second, third, _ = done.stdout.splitlines()
    assert first.startswith("1,000 different operations, set ")
    assert second.endswith(" at 50,000 draws; perfect draws, on average 92.116 ± 0.170 %")
    assert third == "decoding what was encoded gives the same operations"


def test_the_embedded_client_works_with_a_vendors_files(acme):
    files = ["acme-1.0.0.ternary", "acme.license", "acme.trust"]
    done = run(sys.executable, EXAMPLES / "embedded_client.py", *files, folder=acme)
    assert done.stdout.startswith("1,000 different operations, set ")


def test_the_embedded_client_ends_with_one_sentence_where_it_is_refused(acme):
    files = ["acme-1.0.0.ternary", "acme.trust", "acme.trust"]
    done = run(sys.executable, EXAMPLES / "embedded_client.py", *files, folder=acme, status=1)
    assert done.stdout == ""
    assert done.stderr.startswith("error: license: ")


def test_the_air_gapped_client_draws_under_a_license_for_its_id_and_no_other(acme, tmp_path):
    client = sys.executable, EXAMPLES / "air_gapped_client.py"
    root = Trust.read((acme / "acme.trust").read_bytes()).root.kid
    machine = run(*client, "--as", "rack 7", "id", "acme.trust", folder=acme).stdout.strip()
    bound = tmp_path / "bound.license"
    issue = "ternary license issue --package acme-1.0.0.ternary --to Initech --expires never --keys keys"
    run(*issue.split(), "--machine", machine, "--out", bound, folder=acme)

    files = "acme-1.0.0.ternary", bound, "acme.trust"
    drawn = run(*client, "--as", "rack 7", "draw", *files, root, folder=acme)
    assert len(set(drawn.stdout.split())) == 5
    other = run(*client, "--as", "rack 8", "draw", *files, root, folder=acme, status=1)
    assert "is for machine" in other.stderr
    forged = run(*client, "--as", "rack 7", "draw", *files, "A" * 43, folder=acme, status=1)
    assert forged.stderr == f"error: acme.trust has the root {root}, the paper says {'A' * 43}\n"


@pytest.fixture(scope="module")
def service():
    """Ask the web service one thing; it starts, answers and stops."""
    spec = importlib.util.spec_from_file_location("web_service", EXAMPLES / "web_service.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    async def exchange(method, url, options):
        transport = httpx.ASGITransport(app=module.app)
        async with (
            module.app.router.lifespan_context(module.app),
            httpx.AsyncClient(transport=transport, base_url="http://service") as client,
        ):
            return await client.request(method, url, **options)

    return lambda method, url, **options: asyncio.run(exchange(method, url, options))


def test_the_web_service_draws_encodes_and_decodes(service):
    drawn = service("GET", "/operations?n=20&seed=7").json()
    with Model.evaluation() as model:
        assert drawn["digest"] == model.sample(20, unique=True, seed=7).digest
    latents = service("POST", "/encode", json=drawn["operations"]).json()["latents"]
    assert service("POST", "/decode", json=latents).json()["operations"] == drawn["operations"]


@pytest.mark.parametrize(
    ("method", "url", "content", "status", "detail"),
    [
        ("GET", "/operations?n=ten", "", 400, "n: 'ten', expected an integer"),
        ("GET", "/operations?n=-1", "", 400, "n: -1, expected 0 to 10,000,000"),
        (
            "GET",
            "/operations?n=19684",
            "",
            409,
            "19,684 different operations were asked for, but the certified model reaches 19,683",
        ),
        ("POST", "/encode", "[[1,2", 400, "body: not JSON, expected a list of rows"),
        ("POST", "/encode", "[[1,2]]", 400, "operations: shape is (1, 2), expected (n, 9)"),
    ],
)
def test_the_web_service_answers_refusals_as_problem_details(service, method, url, content, status, detail):
    answer = service(method, url, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == detail


def test_the_notebook_runs(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "1,000 different operations" in json.dumps(notebook.cells[1].outputs)


@pytest.mark.stress
def test_the_release_script_makes_what_a_customer_gets(quick_recipe, tmp_path):
    done = run(EXAMPLES / "vendor_release.sh", "out", quick_recipe, folder=tmp_path)
    assert "acme-1.0.0 is what Acme Logic signed" in done.stdout
    for name in ("acme-1.0.0.ternary", "initech.license", "acme.trust"):
        assert (tmp_path / "out" / name).stat().st_size > 0


@pytest.mark.stress
def test_a_plain_vae_is_trained_certified_packaged_licensed_and_drawn(tmp_path):
    done = run(sys.executable, EXAMPLES / "own_decoder.py", "mine", "60", folder=tmp_path)
    assert "model     ternary-2-input, 16 latent dimensions, path A\n" in done.stdout
    assert "own-1.0.0 is what Own signed" in done.stdout
    assert (tmp_path / "mine" / "rows.csv").read_text().count("\n") == 1001
    refused = run(sys.executable, EXAMPLES / "own_decoder.py", "mine", folder=tmp_path, status=1)
    assert refused.stderr == "error: mine: exists already, name a folder that does not\n"


@pytest.mark.slow
def test_the_demo_replaces_an_earlier_one_and_spares_a_foreign_folder(quick_recipe, release, tmp_path):
    shutil.copytree(release, tmp_path / "demo")  # by the names that a demo gives them too
    before = (tmp_path / "demo" / "acme.trust").read_bytes()
    done = run(sys.executable, EXAMPLES / "demo.py", "demo", quick_recipe, folder=tmp_path)
    assert "of 19,683 operations, each with a proof" in done.stdout
    assert "different operations drawn:" in done.stdout
    assert (tmp_path / "demo" / "acme.trust").read_bytes() != before
    (tmp_path / "demo" / "thesis.txt").write_text("mine")
    done = run(sys.executable, EXAMPLES / "demo.py", "demo", quick_recipe, folder=tmp_path, status=1)
    assert done.stderr == "error: demo holds thesis.txt, which no demo made; name another folder\n"
    assert (tmp_path / "demo" / "keys").exists()
