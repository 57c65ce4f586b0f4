"""The job with Singer: tap and target, two processes and a pipe between them.

singer_sync.py URL APP_ID APP_SECRET FOLDER
"""

import json
import pathlib
import subprocess
import sys

import directory

url, app_id, app_secret, folder = sys.argv[1:]
here, folder = pathlib.Path(__file__).parent, pathlib.Path(folder)


def program(name, config, **pipes):
    file = folder / f"{name}.json"
    file.write_text(json.dumps(config))
    return subprocess.Popen([sys.executable, "-B", here / f"{name}.py", "--config", file], **pipes)


tap = program(
    "singer_tap", {"url": url, "token": directory.token(url, app_id, app_secret)}, stdout=subprocess.PIPE
)
target = program("singer_target", {"file": str(folder / "singer.db")}, stdin=tap.stdout, stdout=subprocess.DEVNULL)
tap.stdout.close()
sys.exit(target.wait() or tap.wait())
