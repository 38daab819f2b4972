"""`python -m fakes.daytona FOLDER`: serve on loopback, print the API's address, and end with standard input."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import sys
from pathlib import Path

from aiohttp import web

from fakes.daytona.api import Api
from fakes.daytona.checking import Fault, Record, watch
from fakes.daytona.estate import Estate
from fakes.daytona.sessions import Sessions
from fakes.daytona.terminals import Terminals
from fakes.daytona.toolbox import Toolbox

_LARGEST = 1 << 30


async def main(folder: Path) -> None:
    """Serve until whoever started this lets go of the pipe."""
    record, estate = Record(), Estate(folder)
    app = web.Application(middlewares=[watch], client_max_size=_LARGEST)
    app["record"] = record
    for part in (Api, Toolbox, Sessions, Terminals):
        app.add_routes(part(estate, record).routes())
    app.add_routes(_levers(estate, record))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}/api", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await estate.close()
    await runner.cleanup()
    # Here too: whoever started this may have been killed.
    shutil.rmtree(folder, ignore_errors=True)


def _levers(estate: Estate, record: Record) -> list[web.RouteDef]:
    """What only tests ask."""

    async def report(_: web.Request) -> web.Response:
        boxes = {
            box.id: {"asked": box.asked.to_dict(), "heartbeats": box.heartbeats, "sessions": sorted(box.sessions)}
            for box in estate.boxes.values()
        }
        plain = {**dataclasses.asdict(record), "boxes": boxes, "snapshots": sorted(estate.snapshots)}
        return web.json_response(plain)

    async def fail(request: web.Request) -> web.Response:
        record.faults.append(Fault(**await request.json()))
        return web.Response()

    async def reset(_: web.Request) -> web.Response:
        for found in (record.unknown, record.invalid, record.spans, record.faults):
            found.clear()
        return web.Response()

    return [
        web.get("/stand-in/report", report),
        web.post("/stand-in/faults", fail),
        web.post("/stand-in/reset", reset),
    ]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
