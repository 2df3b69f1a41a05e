"""From the text of a $filter to its syntax tree, by the grammar of odata-query with what clients of a PRIP write."""

from __future__ import annotations

from collections.abc import Iterator

from odata_query import ast
from odata_query.exceptions import ODataException, ParsingException, TokenizingException, UnknownFunctionException
from odata_query.grammar import ODataLexer, ODataParser
from sly.lex import Token

from s2ps.prip.odata.errors import ODataError, bad, not_offered
from s2ps.prip.odata.operands import is_text

LONGEST = 32_000
"""Characters of a $filter; a polygon of a thousand corners fits."""
_TARGET = "$filter"


class _Lexer(ODataLexer):
    """Words end where they end (`anyone` is a name), and `not(...)` needs no space."""

    tokens = ODataLexer.tokens
    NOT = r"not(?=\()|not\s+"  # type: ignore[assignment]
    ANY = r"any\b"  # type: ignore[assignment]
    ALL = r"all\b"  # type: ignore[assignment]
    BOOLEAN = r"(?:true|false)\b"  # type: ignore[assignment]
    NULL = r"null\b"  # type: ignore[assignment]


def parse(text: str) -> ast._Node:
    """Return the syntax tree of a $filter; raise ODataError when the text cannot be read."""
    if len(text) > LONGEST:
        raise bad(f"the filter has {len(text)} characters; at most {LONGEST} are read", _TARGET)
    if not is_text(text):
        raise bad("the filter has a character that is no text", _TARGET)
    try:
        tree = ODataParser().parse(iter(_lists(_tokens(text.strip()))))
    except UnknownFunctionException as error:
        raise not_offered(f"function {error.function_name} is not offered", _TARGET) from error
    except (ParsingException, TokenizingException) as error:
        raise _unread(text, error) from error
    except (ODataException, AttributeError, NotImplementedError, ValueError, TypeError) as error:
        # The grammar of the library stumbles over some wrong paths instead of refusing them.
        raise bad(f"the filter cannot be read: {text[:200]}", _TARGET) from error
    if not isinstance(tree, ast._Node):
        raise bad("the filter is empty", _TARGET)
    return tree


def _tokens(text: str) -> Iterator[Token]:
    """Yield the tokens; `OData.CSC.ProductionType'value'` becomes the text alone."""
    waiting: Token | None = None
    for token in _Lexer().tokenize(text):
        if waiting is not None and not (token.type == "STRING" and token.index == _end(waiting)):
            yield waiting
        waiting = token if token.type == "ODATA_IDENTIFIER" and token.value.name == "ProductionType" else None
        if waiting is None:
            yield token
    if waiting is not None:
        yield waiting


def _lists(tokens: Iterator[Token]) -> list[Token]:
    """Return the tokens with a comma after the only item of a list after `in`, which the grammar asks for."""
    done: list[Token] = []
    open_lists: list[tuple[int, bool]] = []
    depth = 0
    for token in tokens:
        if token.type == "(":
            depth += 1
            open_lists.append((depth, bool(done) and _last(done) == "IN"))
        elif token.type == "," and open_lists:
            open_lists[-1] = (open_lists[-1][0], False)
        elif token.type == ")" and open_lists:
            depth -= 1
            if open_lists.pop()[1]:
                done.append(_comma(token))
        done.append(token)
    return done


def _end(identifier: Token) -> int:
    return int(identifier.index) + len(identifier.value.full_name())


def _last(tokens: list[Token]) -> str:
    return next((str(token.type) for token in reversed(tokens) if token.type != "WS"), "")


def _comma(place: Token) -> Token:
    token = Token()
    token.type = token.value = ","
    token.lineno, token.index = place.lineno, place.index
    return token


def _unread(text: str, error: ParsingException | TokenizingException) -> ODataError:
    token = error.token
    if token is None:
        return bad("the filter ends too early", _TARGET)
    near = text.strip()[token.index : token.index + 30]
    return bad(f"the filter cannot be read at character {token.index + 1}, near {near!r}", _TARGET)
