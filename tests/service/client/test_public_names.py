from citewire.service import client


def test_other_programs_find_these_names() -> None:
    assert client.__all__ == [
        "ArticleContent",
        "BadRequest",
        "Citewire",
        "ClientError",
        "CutOff",
        "FiltersIn",
        "KeyRefused",
        "Message",
        "NotCitewire",
        "NotFound",
        "ServiceProblem",
        "Unavailable",
        "Unreachable",
    ]
    assert all(hasattr(client, name) for name in client.__all__)
