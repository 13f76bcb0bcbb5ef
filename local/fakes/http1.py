"""The HTTP/1.1 side of the fakes, which only FCM and Google's token endpoint have."""

import asyncio

from aiohttp import web

from local.fakes.exchange import Conversation, NetworkRequest
from local.fakes.interruptions import Interruption
from local.guard import refusal


def server(conversation: Conversation) -> web.Server:
    """A factory of protocols, one for each connection; faults of HTTP/2's frames close it."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        if (reason := refusal(request.headers.get)) is not None:
            return web.Response(status=403, text=f"{reason}\n")
        fields = ((name.lower(), value) for name, value in request.headers.items())
        headers = tuple(field for field in fields if field[0] != "host")
        if conversation.silent:
            await asyncio.Event().wait()
        reply = conversation.reply(
            NetworkRequest(request.method, request.raw_path, headers, await request.read())
        )
        await asyncio.sleep(reply.delay_s)
        if reply.fault in (Interruption.HANG, Interruption.BLACK_HOLE) or conversation.silent:
            await asyncio.Event().wait()
        if reply.fault not in (None, Interruption.AFTER_ANSWER):
            request.transport.close()
            return web.Response()
        answer = reply.answer
        response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        await response.prepare(request)
        await response.write_eof()
        reply.note.given(answer)
        if reply.fault is not None:
            request.transport.close()
        return response

    return web.Server(handle, access_log=None, handler_cancellation=True)
