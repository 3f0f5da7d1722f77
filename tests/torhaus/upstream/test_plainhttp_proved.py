"""Event streams and what is posted, with proofs of possession."""

import pytest

from tests.torhaus.upstream.proofs import Bound, hashed, headers, opened, prover
from tests.torhaus.upstream.servers.http_server import STREAM, chunk, event, head, whole
from tests.torhaus.upstream.test_plainhttp import Ears, plain
from torhaus.upstream.again import NONCES
from torhaus.upstream.faults import DeniedError

PROVED = tuple((name, value.reveal()) for name, value in headers())


async def opens(wire, heard):
    wire.say(STREAM + chunk(event(b"/m", "event: endpoint")))
    await wire.gone()


def test_a_stream_and_its_posts_are_proved_each_for_itself():
    upstream = Bound(nonces=["n-1"])

    async def script(wire):
        heard = await wire.request()
        upstream.url = f"http://127.0.0.1:{wire.writer.get_extra_info('sockname')[1]}{heard.path}"
        if (amiss := upstream.amiss(heard)) is not None:
            lines = (f'www-authenticate: DPoP error="{amiss}"', f"dpop-nonce: {upstream.nonces[0]}")
            wire.say(head("401 Unauthorized", *lines, "content-length: 0"))
        elif heard.method == "GET":
            await opens(wire, heard)
        else:
            wire.say(whole(b"", "202 Accepted"))

    async def story(server, http):
        stream = await Ears().stream(http, server.url, PROVED)
        upstream.nonces[:] = ["n-2"]
        assert (await http.post(f"{server.url}/m", PROVED, b"{}"))[0] == 202
        await stream.close()

        said = [(each.method, opened(each.headers["dpop"])[1]) for each in server.heard]
        nonces = [(method, claims.get("nonce")) for method, claims in said]
        assert nonces == [("GET", None), ("GET", "n-1"), ("POST", "n-1"), ("POST", "n-2")]
        assert {claims["ath"] for _, claims in said} == {hashed("token-1")}

    plain(script, story, prover=prover())
    assert upstream.wrong == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nonces_without_end_are_given_up(method):
    async def script(wire):
        await wire.request()
        number = len(wire.heard)
        lines = ('www-authenticate: DPoP error="use_dpop_nonce"', f"dpop-nonce: n-{number}")
        wire.say(head("401 Unauthorized", *lines, "content-length: 0"))

    async def story(server, http):
        if method == "POST":
            assert (await http.post(server.url, PROVED, b"{}"))[0] == 401
        else:
            with pytest.raises(DeniedError):
                await Ears().stream(http, server.url, PROVED)
        assert len(server.heard) == 1 + NONCES

    plain(script, story, prover=prover())


def test_without_a_key_nothing_is_proved_and_nothing_goes_again():
    async def script(wire):
        await wire.request()
        lines = ('www-authenticate: DPoP error="use_dpop_nonce"', "dpop-nonce: n-1")
        wire.say(head("401 Unauthorized", *lines, "content-length: 0"))

    async def story(server, http):
        assert (await http.post(server.url, PROVED, b"{}"))[0] == 401
        with pytest.raises(DeniedError):
            await Ears().stream(http, server.url, PROVED)
        assert ["dpop" in each.headers for each in server.heard] == [False, False]

    plain(script, story)
