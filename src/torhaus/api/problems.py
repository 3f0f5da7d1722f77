"""Everything that is not a success, as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

from torhaus.admin.acts import Refusal

STATUS = {
    "not_found": 404,
    "not_allowed": 403,
    "conflict": 409,
    "invalid": 422,
    "unavailable": 503,
}
TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "Too large",
    415: "Not JSON",
    421: "Not served here",
    422: "The request is not valid",
    500: "A mistake of ours",
    503: "Not available",
}


class ProblemError(Exception):
    """An answer that is no success. `code` is for programs, `detail` and `fix` for people."""

    def __init__(self, status: int, code: str, detail: str, fix: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.fix = fix


def refused(refusal: Refusal) -> ProblemError:
    return ProblemError(STATUS[refusal.code], refusal.code, refusal.reason, refusal.fix)


def response(problem: ProblemError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": TITLES.get(problem.status, "Not possible"),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.fix:
        body["fix"] = problem.fix
    return JSONResponse(
        body,
        status_code=problem.status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )
