"""Errors as OData v4 tells them to clients."""

from __future__ import annotations

from typing import Any


class ODataError(Exception):
    """A request that is refused: HTTP status, what is wrong, and which part of the request (`$filter` ...)."""

    def __init__(self, status: int, message: str, target: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.target = target
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the answer."""
        headers = {"OData-Version": "4.0"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="PRIP", Bearer realm="PRIP"'
        return headers

    @property
    def document(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return error_document(self.status, self.message, self.target)


def error_document(status: int, message: str, target: str | None = None) -> dict[str, Any]:
    """Return an error in the JSON form of OData 4.0 (OData JSON Format, section 19)."""
    error = {"code": _CODES.get(status, f"HTTP{status}"), "message": message}
    return {"error": error | ({"target": target} if target else {})}


def bad(message: str, target: str) -> ODataError:
    """Return the error for a query that makes no sense."""
    return ODataError(400, message, target)


def not_offered(message: str, target: str) -> ODataError:
    """Return the error for a part of OData that this service does not offer."""
    return ODataError(501, message, target)


_CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    412: "PreconditionFailed",
    413: "ContentTooLarge",
    416: "RangeNotSatisfiable",
    429: "TooManyRequests",
    501: "NotImplemented",
    503: "ServiceUnavailable",
}
