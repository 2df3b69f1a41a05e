"""Prepares an installation before its components start: Airflow's database and login, and the bucket of the staging.

Everything can be repeated without harm. Reads AIRFLOW__* and AWS_* variables, S2PS_STAGING and S2PS_ADMIN_PASSWORD.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def write_login(path: Path, password: str) -> None:
    """Write the password of `admin` where Airflow's simple login reads it; only its owner may read the file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump({"admin": password}, stream)


def make_bucket(staging: str) -> None:
    """Make the bucket of an S3 staging unless it is there."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    parts = urlsplit(staging)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    client = boto3.client(
        "s3",
        endpoint_url=options.get("endpoint"),
        region_name=options.get("region"),
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 10}),
    )
    try:
        client.head_bucket(Bucket=parts.netloc)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        client.create_bucket(Bucket=parts.netloc)
        print(f"bucket {parts.netloc} made", flush=True)


def main() -> int:
    """Prepare database, login and bucket; return 1 with a line naming the variable that is missing."""
    missing = [name for name in ("S2PS_ADMIN_PASSWORD", "AIRFLOW_HOME") if not os.environ.get(name)]
    if missing:
        print(f"{' and '.join(missing)} must be set: run `make compose-env`", file=sys.stderr)
        return 1
    done = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=False)
    if done.returncode:
        return done.returncode
    write_login(Path(os.environ["AIRFLOW_HOME"]) / "passwords.json", os.environ["S2PS_ADMIN_PASSWORD"])
    staging = os.environ.get("S2PS_STAGING", "")
    if staging.startswith("s3:"):
        make_bucket(staging)
    return 0


if __name__ == "__main__":
    sys.exit(main())
