"""``gridloom ca``: certificate authorities and who has to do with them.

One module for each command, which registers itself here (``ca_start.py`` and its neighbours).
(Fabric: fabric-ca-server and fabric-ca-client)
"""

from __future__ import annotations

import typer

from . import ca_backup, ca_client, ca_renew, ca_start

app = typer.Typer(help="Certificate authorities.", no_args_is_help=True)


@app.callback()
def ca() -> None:
    """Certificate authorities."""


for module in (ca_start, ca_backup, ca_renew):
    module.register(app)
ca_client.register_commands(app, "gridloom ca")
