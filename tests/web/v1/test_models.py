"""The catalogue over HTTP."""

import httpx

from service.vision.catalogue import CATALOGUE


def test_every_model_is_listed_with_what_is_here(client: httpx.Client) -> None:
    models = {each["name"]: each for each in client.get("/v1/models").json()["models"]}
    assert list(models) == [spec.name for spec in CATALOGUE]
    dlib = models["Dlib"]
    assert (dlib["dimension"], dlib["input"]) == (128, {"width": 150, "height": 150})
    assert (dlib["default_detector"], dlib["default_alignment"]) == ("dlib", "native")
    assert dlib["default_thresholds"] == {"native": 0.922, "deepface": 0.93}
    assert (dlib["engine"], dlib["commercial_use"]) == ("onnxruntime", True)
    assert [each["present"] for each in dlib["weights"]] == [True]
    arcface = models["ArcFace"]
    assert arcface["engine"] is None
    assert [each["present"] for each in arcface["weights"]] == [False, False]
    assert models["VGG-Face"]["default_thresholds"] == {"deepface": 0.32}
    assert models["VGG-Face"]["commercial_use"] is False


def test_a_model_is_read_by_its_name(client: httpx.Client) -> None:
    listed = client.get("/v1/models").json()["models"]
    assert client.get("/v1/models/Facenet512").json() in listed
    unknown = client.get("/v1/models/facenet512")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "model_not_found")
    assert "Facenet512" in unknown.json()["detail"]


def test_no_path_of_the_machine_is_told(client: httpx.Client) -> None:
    assert "/" not in client.get("/v1/models/Dlib").text.replace("CC0 1.0 (public domain)", "")
