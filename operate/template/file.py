"""The place of template.yaml: the top of the checkout, or the installed package, which has a copy."""

from pathlib import Path


def template_path() -> Path:
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "template.yaml"
    return checkout if checkout.exists() else package / "template.yaml"
