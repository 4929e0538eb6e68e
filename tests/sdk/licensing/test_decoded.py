"""What a process decoded last: bounded, the ones unused for longest first."""

from ternary_sdk._internal.licensing.decoded import Decoded


def test_sets_unused_for_longest_go_first() -> None:
    decoded = Decoded[str](most=6)
    for name in ("ab", "cd", "ef"):
        assert decoded.keep(name, name) == name
    assert decoded.find("ab") == "ab"
    decoded.keep("gh", "gh")
    assert (decoded.find("cd"), decoded.find("ab"), len(decoded)) == (None, "ab", 6)


def test_a_set_that_is_too_much_is_given_back_and_not_kept() -> None:
    decoded = Decoded[str](most=3)
    decoded.keep("a", "a")
    assert decoded.keep("long", "long") == "long"
    assert (decoded.find("long"), decoded.find("a"), len(decoded)) == (None, None, 0)


def test_what_is_kept_anew_or_forgotten_is_counted_once() -> None:
    decoded = Decoded[str](most=9)
    decoded.keep("a", "aa")
    decoded.keep("a", "aaa")
    assert (decoded.find("a"), len(decoded)) == ("aaa", 3)
    decoded.forget("b")
    decoded.forget("a")
    assert (decoded.find("a"), len(decoded)) == (None, 0)
