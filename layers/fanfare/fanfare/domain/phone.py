"""Convert local phone numbers to international ones (E.164) by calling codes and trunk prefixes.

The facts are those of libphonenumber 9.0.43. Nothing checks whether a number exists.
"""

import re
from functools import cache

_BEGINS_WITH_0 = """
    AE971 AF93 AL355 AM374 AR54 AT43 AU61 AX358 AZ994 BA387 BD880 BE32 BG359 BL590 BO591 BR55 CC61 CD243
    CH41 CN86 CO57 CU53 CX61 DE49 DZ213 EC593 EG20 EH212 ER291 ET251 FI358 FR33 GB44 GE995 GF594 GG44
    GH233 GP590 HR385 ID62 IE353 IL972 IM44 IN91 IQ964 IR98 JE44 JO962 JP81 KE254 KG996 KH855 KI686
    KP850 KR82 LA856 LB961 LI423 LK94 LR231 LY218 MA212 MC377 MD373 ME382 MF590 MG261 MK389 MM95 MN976
    MQ596 MW265 MY60 NA264 NG234 NL31 NP977 NZ64 PE51 PH63 PK92 PM508 PS970 PY595 RE262 RO40 RS381 RW250
    SA966 SD249 SE46 SI386 SK421 SL232 SO252 SS211 SY963 TH66 TR90 TW886 TZ255 UA380 UG256 UY598 VE58
    VN84 XK383 YE967 YT262 ZA27 ZM260 ZW263
"""
"""Countries in which national numbers begin with a 0 that international ones drop."""

_AS_IT_IS = """
    AC247 AD376 AO244 AW297 BF226 BH973 BI257 BJ229 BN673 BQ599 BT975 BW267 BZ501 CF236 CG242 CI225
    CK682 CL56 CM237 CR506 CV238 CW599 CY357 CZ420 DJ253 DK45 EE372 ES34 FJ679 FK500 FM691 FO298 GA241
    GI350 GL299 GM220 GN224 GQ240 GR30 GT502 GW245 GY592 HK852 HN504 HT509 IO246 IS354 IT39 KM269 KW965
    LS266 LU352 LV371 ML223 MO853 MR222 MT356 MU230 MV960 MX52 MZ258 NC687 NE227 NF672 NI505 NO47 NR674
    NU683 OM968 PA507 PF689 PG675 PL48 PT351 PW680 QA974 SB677 SC248 SG65 SH290 SJ47 SM378 SN221 SR597
    ST239 SV503 SZ268 TA290 TD235 TG228 TJ992 TK690 TL670 TN216 TO676 TV688 UZ998 VA39 VU678 WF681 WS685
"""
"""Countries in which national and international numbers have the same digits. In Italy that includes the
0."""

_NORTH_AMERICA = """
    AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI
"""

_OTHERS = {
    "BY": ("375", r"80?(?=\d{9}$)|0"),
    "HU": ("36", r"06"),
    "KZ": ("7", r"8(?=\d{10}$)"),
    "LT": ("370", r"[08](?=\d{8}$)"),
    "MH": ("692", r"1(?=\d{7}$)"),
    "RU": ("7", r"8(?=\d{10}$)"),
    "TM": ("993", r"8(?=\d{8}$)"),
}
"""The pattern looks at the length if international numbers may begin with the same digit."""

_LOCAL = re.compile(r"[0-9](?:[0-9 ().-]{1,30})?|\([0-9 ().-]{2,30}")
_BETWEEN = str.maketrans("", "", " ().-")


def e164(country: str, local: str) -> str | None:
    """Return the international number with its plus sign; None if the country or the number is not valid.

    `country` is an ISO 3166 code of two letters, in either case.
    """
    known = _dialled().get(country.upper())
    if known is None or _LOCAL.fullmatch(local) is None:
        return None
    code, trunk = known
    digits = re.sub(f"^(?:{trunk})", "", local.translate(_BETWEEN))
    return f"+{code}{digits}"


@cache
def _dialled() -> dict[str, tuple[str, str]]:
    """Return each country's calling code and the pattern of its trunk prefix."""
    rules = {one[:2]: (one[2:], "0") for one in _BEGINS_WITH_0.split()}
    rules |= {one[:2]: (one[2:], "") for one in _AS_IT_IS.split()}
    rules |= dict.fromkeys(_NORTH_AMERICA.split(), ("1", r"1(?=\d{10}$)"))
    return rules | _OTHERS
