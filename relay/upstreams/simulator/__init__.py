"""The built-in upstream: it speaks the Messages API deterministically, offline and without a model.

It is for newcomers, who get answers before they own a credential, and for tests, which get faults on request and a
ledger of what really arrived. Run it with `python -m relay.upstreams.simulator --port P [--ledger FILE]`.

**The same body gets the same text and the same token counts.** Only ids (`msg_`, `toolu_`, `req_`) are random, and the
cache moves tokens between `input_tokens`, `cache_creation_input_tokens` and `cache_read_input_tokens`.

**Credentials.** Any non-empty key is accepted, except one that starts with `sk-invalid`.

**On request.** A script is `name=value` pairs and flags joined by `;`. It comes in the request headers
`x-tollgate-simulator-fault` and `x-tollgate-simulator-pace` (any option in either), in `metadata.user_id` as
`simulator: SCRIPT`, or for every request from `--always SCRIPT`. N counts from 0: `after-events=0` is right after the
headers. An unknown name is 400, so that a typo cannot pass for a test that succeeded.

Before the answer:

    status=529; retry-after=3       an error; also type=, message=, code= (details.error_code), html (an HTML body)
    status=200; html                a page of HTML where JSON or events were due
    stall-before-headers=SECONDS    silence first
    reset-before-headers            TCP reset instead of an answer

In the answer (events of a stream; bytes of either; several may be given):

    reset-after-headers             headers, then a TCP reset
    end-after-events=N              the body ends properly, without `message_stop`
    cut-after-events=N              FIN in the middle of the body          (cut-after-bytes=N)
    reset-after-events=N            TCP reset in the middle of the body    (reset-after-bytes=N)
    stall-after-events=N:SECONDS    silence, then it goes on               (stall-after-bytes=N:SECONDS)
    error-after-events=N:TYPE       `event: error` of that type, then the body ends
    malformed-after-events=N        a frame whose JSON is broken, then it goes on
    unknown-after-events=N          an event of a type nobody knows, then it goes on
    comment-after-events=N          an SSE comment line, then it goes on
    unnamed-after-events=N          a frame without an `event:` line, then it goes on
    usage=KIND                      missing, null, decreasing, negative, text or huge usage
    malformed                       the JSON answer is cut off, its length correct
    crlf                            lines end with CR LF
    long-line=BYTES                 a search result of that size, in one `data:` line

Pace and size:

    events-per-second=R             a stream's events evenly spaced; without it, as fast as they are read
    events-per-write=N              N events in one write (0: the whole stream)
    chunk=BYTES                     the body in writes of that size; chunk=1 splits at every byte
    chunk-pause=SECONDS             a pause between those writes
    tokens-per-event=N              how much text a delta holds (4)
    output-tokens=N                 the length of the text (`max_tokens` still holds)
    stop-reason=refusal             also pause_turn

**The ledger** has two JSON lines per request: `received`, written before anything is answered, and `finished` with the
`outcome` and the `usage` that went over the wire, folded as a client would fold it. Outcomes: `finished` (everything
was handed to an open connection), `refused` (the request was wrong), `faulted` (a fault spoiled the answer), `cut` (the
client left, or we were stopped). `GET /simulator/ledger?since=OFFSET` returns it in pieces, until `next` stays
the same. A gateway's own id for the request, sent as `x-tollgate-simulator-request-id`, is in both lines.

Not simulated: what happens inside a server tool beyond one web search, MCP servers, containers, batches, files.
"""
