"""Records behind a REST API: page by page, with a token, politely, and not believing it.

dlt's REST client turns the pages; the session beneath it is ours: it keeps to the rate, tries again what may pass, honours
Retry-After
within the time that is left, never goes to another host, and reads numbers digit by digit.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from schemas.sources import RestSource, Source, resolved

from .base import News, PullFailed, Rows, Taking

_TRIES = 5
_PAGE = 128 << 20
"""Bytes of one answer: it is parsed in memory, whole."""
_PIECE = 1 << 16
_BUSY = (408, 425, 429, 500, 502, 503, 504)


def batches(source: Source, news: News, taking: Taking, pause: float = 0.5) -> Iterator[Rows]:
    """The records, a page at a time. ``pause``: seconds before the second try; it grows. Raises :class:`PullFailed`."""
    from dlt.sources.helpers.rest_client.client import RESTClient

    logging.getLogger("dlt").setLevel(logging.CRITICAL)  # its warnings quote answers
    spec = source.spec
    assert isinstance(spec, RestSource)
    params: dict[str, Any] = {k: resolved(v) if isinstance(v, str) else v for k, v in spec.params.items()}
    if spec.paging.size_parameter is not None and spec.paging.size is not None:
        params[spec.paging.size_parameter] = spec.paging.size
    if spec.incremental is not None and news.since is not None:
        params[str(spec.incremental.parameter)] = news.since
    with _session(spec, taking, pause) as session:
        client = RESTClient(
            spec.url, headers={k: resolved(v) for k, v in spec.headers.items()}, auth=_auth(spec, session), session=session,
            paginator=_paginator(spec), data_selector=spec.records,
        )  # fmt: skip
        seen: set[str] = set()
        total, count = None, 0
        pages = client.paginate(spec.path, params=params)
        for number in range(spec.limits.pages + 1):
            page = _next(pages)
            if page is None:
                break
            if number == spec.limits.pages:
                raise PullFailed(
                    "TOO_MANY_PAGES",
                    f"after {spec.limits.pages} pages there are more; its paging may never end, else raise limits.pages",
                )
            rows = _records(page, spec)
            total = _total(page, spec, total)
            if rows and spec.paging.kind != "none":
                name = hashlib.sha256(repr(rows).encode()).hexdigest()
                if name in seen:
                    raise PullFailed(
                        "REPEATED_PAGE", "the same page came twice; look at paging, or tell those who run the API"
                    )
                seen.add(name)
            count += len(rows)
            yield rows
        if total is not None and total != count:
            raise PullFailed(
                "TOTAL_DIFFERS",
                f"the API says {total} records and gave {count}; it may have changed while it was read: pull again",
            )


def _next(pages: Iterator[Any]) -> Any:
    import requests

    try:
        return next(pages, None)
    except PullFailed:
        raise
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise _answered(status) from None
    except requests.exceptions.SSLError:
        raise PullFailed("NO_TRUST", "the server's certificate is not trusted") from None
    except requests.Timeout:
        raise PullFailed("TOO_SLOW", "the API did not answer within limits.wait") from None
    except (requests.exceptions.JSONDecodeError, json.JSONDecodeError):
        raise PullFailed("NOT_JSON", "the answer is no JSON; an error page may have come with status 200") from None
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
        raise PullFailed("BROKEN_OFF", "an answer broke off in the middle; pull again") from None
    except RecursionError:
        raise PullFailed("NOT_JSON", "the answer is nested deeper than any list of records") from None
    except requests.RequestException:
        raise PullFailed("UNREACHABLE", "the API cannot be reached; see that it is up, and url") from None
    except ValueError:
        # dlt: a path of the declaration is not in the answer
        raise PullFailed("NO_RECORDS", "the answer is not of the shape that records and paging say") from None


def _answered(status: int) -> PullFailed:
    if status in (401, 403):
        return PullFailed("LOGIN_REFUSED", "the API refuses who asks; look at auth")
    if status == 404:
        return PullFailed("NOT_FOUND", "there is nothing at url and path")
    return PullFailed(
        f"ANSWER_{status}",
        "the API answered with an error" + (", again and again; pull later" if status in _BUSY else ""),
    )


def _session(spec: RestSource, taking: Taking, pause: float) -> Any:
    import time

    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    home = urlsplit(spec.url)

    class _Retry(Retry):
        def get_retry_after(self, response: Any) -> float | None:
            wait = super().get_retry_after(response)
            if wait is not None and wait > taking.left:
                raise PullFailed(
                    "ASKED_TO_WAIT", f"the API asks to wait {int(wait)} s, longer than is left; pull later"
                )
            return wait

    class _Session(requests.Session):
        last = 0.0

        def send(self, request: Any, **more: Any) -> Any:
            taking.in_time()
            to = urlsplit(request.url)
            trusted = (
                spec.auth is not None
                and spec.auth.kind == "oauth"
                and to.hostname == urlsplit(str(spec.auth.url)).hostname
            )
            if (to.scheme, to.netloc) != (home.scheme, home.netloc) and not trusted:
                raise PullFailed(
                    "FOREIGN_LINK", "the API leads to another host, which would be given the token; look at paging"
                )
            wait = self.last + 1 / spec.limits.rate - time.monotonic()
            if wait > 0:
                time.sleep(min(wait, max(0.0, taking.left)))
            type(self).last = time.monotonic()
            more["timeout"] = min(float(spec.limits.wait), max(0.1, taking.left))
            more["allow_redirects"] = False
            more["stream"] = True
            answer = super().send(request, **more)
            if 300 <= answer.status_code < 400:
                raise PullFailed("REDIRECTED", "the API leads elsewhere; write the address to which it leads")
            _read(answer, taking)
            # numbers keep their digits; what is no JSON is said so
            answer.json = partial(answer.json, parse_float=Decimal)  # type: ignore[method-assign]
            return answer

    retry = _Retry(
        total=_TRIES, backoff_factor=pause, backoff_jitter=pause / 2, status_forcelist=_BUSY, allowed_methods=None,
        raise_on_status=False, respect_retry_after_header=True,
    )  # fmt: skip
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    session.trust_env = False  # no password of a .netrc, no proxy that nobody named
    return session


def _read(answer: Any, taking: Taking) -> None:
    """Read an answer as it comes, within the bounds: one that never ends, or comes by the byte, would else be waited for, and
    held in memory, for as long as its server likes."""
    import requests
    from urllib3 import exceptions as wrong

    most = min(_PAGE, max(1 << 20, taking.limits.bytes * 4))  # as written it may be shorter: no spaces, no envelope
    body = bytearray()
    try:
        while piece := answer.raw.read1(_PIECE, decode_content=True):
            body += piece
            taking.in_time()
            if len(body) > most:
                raise PullFailed("PAGE_TOO_LARGE", f"one answer has more than {most >> 20} MB; ask for smaller pages")
    except wrong.ReadTimeoutError:
        raise requests.ReadTimeout from None
    except wrong.DecodeError:
        raise requests.exceptions.ContentDecodingError from None
    except wrong.HTTPError:
        raise requests.exceptions.ChunkedEncodingError from None
    finally:
        if not answer.raw.isclosed():
            answer.raw.close()  # of what is not read to its end nothing is waited for
        answer.raw.release_conn()
    answer._content, answer._content_consumed = bytes(body), True


def _auth(spec: RestSource, session: Any) -> Any:
    from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth, OAuth2ClientCredentials

    auth = spec.auth
    if auth is None:
        return None
    match auth.kind:
        case "bearer":
            return BearerTokenAuth(token=resolved(str(auth.token)))
        case "key":
            return APIKeyAuth(name=auth.header, api_key=resolved(str(auth.token)), location="header")
        case "basic":
            return HttpBasicAuth(username=str(auth.user), password=resolved(str(auth.password)))
        case _:
            return OAuth2ClientCredentials(
                access_token_url=str(auth.url), client_id=str(auth.client_id), client_secret=resolved(str(auth.client_secret)),
                access_token_request_data={"grant_type": "client_credentials"}, session=session,
            )  # fmt: skip


def _paginator(spec: RestSource) -> Any:
    from dlt.sources.helpers.rest_client import paginators as kinds

    paging = spec.paging
    match paging.kind:
        case "page":
            return kinds.PageNumberPaginator(base_page=paging.first, page_param=paging.parameter, total_path=None)
        case "offset":
            return kinds.OffsetPaginator(
                limit=paging.size or 0,
                offset_param=paging.parameter,
                limit_param=paging.size_parameter or "limit",
                total_path=None,
            )
        case "cursor":
            return kinds.JSONResponseCursorPaginator(cursor_path=str(paging.next), cursor_param=paging.parameter)
        case "link":
            return kinds.JSONLinkPaginator(next_url_path=str(paging.next))
        case "header":
            return kinds.HeaderLinkPaginator()
        case _:
            return kinds.SinglePagePaginator()


def _records(page: Any, spec: RestSource) -> Rows:
    rows: Sequence[Any] = list(page)
    # dlt takes an answer that is one object for a list of one
    if spec.records is None and isinstance(page.response.json(), Mapping):
        raise PullFailed("NO_RECORDS", "the answer is no list; write records: the path of the list in it")
    if not all(isinstance(row, Mapping) for row in rows):
        raise PullFailed("NOT_RECORDS", "what stands at records is no list of objects")
    if spec.records is not None and not rows and not _there(page.response.json(), spec.records):
        raise PullFailed("NO_RECORDS", "there is no list at records in the answer")
    return rows


def _there(answer: Any, path: str) -> bool:
    for part in path.split("."):
        if not isinstance(answer, Mapping) or part not in answer:
            return False
        answer = answer[part]
    return isinstance(answer, list)


def _total(page: Any, spec: RestSource, before: int | None) -> int | None:
    if spec.paging.total is None:
        return before
    answer = page.response.json()
    for part in spec.paging.total.split("."):
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    return int(answer) if isinstance(answer, int) else before
