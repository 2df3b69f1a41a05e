"""Bills of materials: the packages of an image as a CycloneDX 1.6 document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Package
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from ipf_adapters.images.archive import Built
from ipf_adapters.images.blobs import Component


def document(built: Built, components: Sequence[Component], created: datetime) -> str:
    """Return the document of an image; the same image gives the same text."""
    name, _, version = built.tag.rpartition(":")
    bill = Bom(serial_number=uuid5(NAMESPACE_URL, f"{name}@{built.digest}"))
    bill.metadata.timestamp = created
    subject = Package(
        type=ComponentType.CONTAINER,
        name=name,
        version=version,
        bom_ref=built.digest,
        purl=PackageURL("oci", None, name.rpartition("/")[2], built.digest),
    )
    bill.metadata.component = subject
    found = [_package(component) for component in components]
    for package in found:
        bill.components.add(package)
    bill.register_dependency(subject, found)
    return str(JsonV1Dot6(bill).output_as_string(indent=1)) + "\n"


def _package(component: Component) -> Package:
    if component.kind == "deb":
        address = PackageURL("deb", "debian", component.name, component.version, {"arch": component.architecture})
    else:
        address = PackageURL("pypi", None, component.name.lower().replace("_", "-"), component.version)
    licences = [LicenseFactory().make_from_string(component.licence)] if component.licence else []
    return Package(
        type=ComponentType.LIBRARY,
        name=component.name,
        version=component.version,
        purl=address,
        bom_ref=str(address),
        licenses=licences,
    )
