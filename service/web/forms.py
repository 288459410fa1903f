"""Forms in which a field stands more than once."""

from collections import Counter

from fastapi import Request

from service.errors import RequestInvalid


def sent_again(field: str) -> RequestInvalid:
    return RequestInvalid(f"{field}: is in the form more than once; send one")


async def said_once(request: Request) -> None:
    """A dependency: of two ids or two photographs, nobody knows which is meant.

    Raises:
        RequestInvalid: a field stands in the form more than once.
    """
    form = await request.form()  # parsed by now
    for field, count in Counter(field for field, _ in form.multi_items()).items():
        if count > 1:
            raise sent_again(field)
