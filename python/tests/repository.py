"""Where the repository's own files are that several languages are tested with."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "test" / "vectors"
