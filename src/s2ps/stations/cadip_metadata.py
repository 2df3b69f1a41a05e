"""$metadata of a CADIP."""

from __future__ import annotations

_TYPES = {
    "Session": {
        "Id": "Edm.Guid", "SessionId": "Edm.String", "NumChannels": "Edm.Int64",
        "PublicationDate": "Edm.DateTimeOffset", "Satellite": "Edm.String", "StationUnitId": "Edm.String",
        "DownlinkOrbit": "Edm.Int64",
        "AcquisitionId": "Edm.String", "AntennaId": "Edm.String", "FrontEndId": "Edm.String",
        "Retransfer": "Edm.Boolean", "AntennaStatusOK": "Edm.Boolean", "FrontEndStatusOK": "Edm.Boolean",
        "PlannedDataStart": "Edm.DateTimeOffset", "PlannedDataStop": "Edm.DateTimeOffset",
        "DownlinkStart": "Edm.DateTimeOffset", "DownlinkStop": "Edm.DateTimeOffset",
        "DownlinkStatusOK": "Edm.Boolean", "DeliveryPushOK": "Edm.Boolean",
    },
    "File": {
        "Id": "Edm.Guid", "Name": "Edm.String", "SessionId": "Edm.String", "Channel": "Edm.Int64",
        "BlockNumber": "Edm.Int64", "FinalBlock": "Edm.Boolean", "PublicationDate": "Edm.DateTimeOffset",
        "EvictionDate": "Edm.DateTimeOffset", "Size": "Edm.Int64", "Retransfer": "Edm.Boolean",
    },
    "QualityInfo": {
        "Channel": "Edm.Int64", "SessionId": "Edm.String", "AcquiredTFs": "Edm.Int64", "ErrorTFs": "Edm.Int64",
        "CorrectedTFs": "Edm.Int64", "UncorrectableTFs": "Edm.Int64", "DataTFs": "Edm.Int64",
        "ErrorDataTFs": "Edm.Int64", "CorrectedDataTFs": "Edm.Int64", "UncorrectableDataTFs": "Edm.Int64",
        "DeliveryStart": "Edm.DateTimeOffset", "DeliveryStop": "Edm.DateTimeOffset", "TotalChunks": "Edm.Int64",
        "TotalVolume": "Edm.Int64",
    },
}  # fmt: skip
_KEYS = {"Session": ("Id",), "File": ("Id",), "QualityInfo": ("SessionId", "Channel")}
_LINKS = {"Session": ("Files", "QualityInfo")}
_SETS = {"Sessions": "Session", "Files": "File", "QualityInfo": "QualityInfo"}
_MEMBERS = {"Files": "File", "QualityInfo": "QualityInfo"}


def _type(name: str) -> str:
    key = "".join(f'<PropertyRef Name="{part}"/>' for part in _KEYS[name])
    properties = "".join(f'<Property Name="{each}" Type="{kind}"/>' for each, kind in _TYPES[name].items())
    links = "".join(
        f'<NavigationProperty Name="{link}" Type="Collection(OData.CSC.{_MEMBERS[link]})"/>'
        for link in _LINKS.get(name, ())
    )
    stream = ' HasStream="true"' if name == "File" else ""
    return f'<EntityType Name="{name}"{stream}><Key>{key}</Key>{properties}{links}</EntityType>'


METADATA = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    '<Schema Namespace="OData.CSC" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    + "".join(_type(name) for name in _TYPES)
    + '<EntityContainer Name="CADIPData">'
    + "".join(f'<EntitySet Name="{name}" EntityType="OData.CSC.{kind}"/>' for name, kind in _SETS.items())
    + "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>\n"
)
