"""Finding the parameter and no more."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from ingest.body import has_parameter

parts = st.sampled_from(
    [b"sms_status", b"sms%5Fstatus", b"%73ms_status", b"%7sms_status", b"=", b"&", b"a", b"%", b"+"]
)


@given(st.lists(parts).map(b"".join))
def test_agrees_with_the_standard_librarys_form_parser(body: bytes) -> None:
    names = {name for name, _ in parse_qsl(body.decode(), keep_blank_values=True)}
    assert has_parameter(body) == ("sms_status" in names)


def test_a_large_body_of_nothing_is_looked_through_quickly() -> None:
    assert not has_parameter(b"&sms_statu" * 400_000)
