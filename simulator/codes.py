"""What carriers say when a message fails: a small table of real codes per operator.

The codes and their causes are public (``warehouse/reference/carrier_errors.csv`` names the
source of each); how often each occurs is an assumption, as is the mix of parties.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple


class CarrierCode(NamedTuple):
    """One code as a carrier reports it."""

    code: str
    """The value of ``error_msg``."""
    detail: str
    """The value of ``error_detail``, Chinese as most carriers write it."""
    weight: int
    """How often it occurs, relative to the other codes of its operator and party."""


class Failure(NamedTuple):
    """Why one message failed."""

    party: str
    """Who is at fault: ``recipient``, ``policy``, ``network``, ``handset`` or ``unknown``."""
    code: CarrierCode


PARTIES: Mapping[str, float] = {
    "recipient": 0.60,
    "policy": 0.20,
    "network": 0.15,
    "handset": 0.045,
    "unknown": 0.005,
}
"""Share of each party in the failures. An assumption; no operator publishes its own."""

REPORT_DELAY_MEDIAN_S: Mapping[str, float] = {
    "recipient": 15.0,
    "policy": 1.0,
    "network": 600.0,
    "handset": 30.0,
    "unknown": 30.0,
}
"""Median seconds from sending to the carrier's final word. An assumption."""

_UNKNOWN = (
    # In no public table and under no pattern: what an operator invents next.
    CarrierCode("ZQ:9917", "未知错误", 3),
    CarrierCode("GW#7", "网关返回未知状态", 2),
    CarrierCode("88:E1", "其他", 1),
)

_CODES: Mapping[str, Mapping[str, Sequence[CarrierCode]]] = {
    "china_mobile": {
        "recipient": (
            CarrierCode("MK:0001", "空号", 30),
            CarrierCode("MI:0013", "用户停机或关机", 22),
            CarrierCode("MK:0010", "用户关机或不在服务区", 18),
            CarrierCode("CB:0001", "非神州行预付费用户", 8),
            CarrierCode("MK:0004", "用户停机", 8),
            CarrierCode("UNDELIV", "短信不可送达", 6),
            CarrierCode("DB:0103", "手机号码欠费", 3),
            # One of the six codes that resellers are said to make up: rare and uneven here.
            CarrierCode("CB:0007", "预付费用户余额不足", 2),
            # Full-width colon and a blank: the lookup has to normalise what carriers type.
            CarrierCode("MK\uff1a0001", "空号", 1),
            CarrierCode("mi: 0001", "用户关机", 1),
        ),
        "policy": (
            CarrierCode("DB:0141", "用户处于黑名单", 10),
            CarrierCode("DB:0142", "短信下发超过日限额", 5),
            CarrierCode("DB:0144", "全局黑名单", 4),
            CarrierCode("ID:0076", "内容含敏感词", 4),
            # No prefix at all: an aggregator's own word.
            CarrierCode("KEYWORD", "关键字拦截", 2),
        ),
        "network": (
            CarrierCode("EXPIRED", "短信有效期已过", 8),
            CarrierCode("MC:0001", "短信中心未返回状态报告", 5),
            # The twin of MI00022 below: same digits, another cause.
            CarrierCode("MI:0022", "运营商内部错误", 2),
            CarrierCode("ID:0072", "无法找到路由", 2),
            CarrierCode("CA:0054", "等待应答超时", 1),
        ),
        "handset": (
            CarrierCode("MK:0015", "手机终端错误", 4),
            CarrierCode("MI00022", "手机存储空间已满", 2),
        ),
    },
    "china_telecom": {
        "recipient": (
            # Bare digits with leading zeros: text, never a number.
            CarrierCode("001", "用户不能通信", 14),
            CarrierCode("002", "用户忙", 3),
            CarrierCode("004", "非法用户", 6),
            CarrierCode("702", "用户停机", 8),
            CarrierCode("ERR:613", "空号", 10),
            CarrierCode("UNDELIV", "短信不可送达", 9),
            CarrierCode("UNDELIV_640", "空号", 4),
        ),
        "policy": (
            CarrierCode("005", "用户处于黑名单", 6),
            CarrierCode("ERR:612", "内容被拦截", 3),
            CarrierCode("150", "超过业务限额", 2),
        ),
        "network": (
            CarrierCode("EXPIRED", "短信有效期已过", 6),
            CarrierCode("139", "未返回状态报告", 3),
            CarrierCode("712", "运营商内部错误", 2),
            # Only a pattern covers it, no literal does.
            CarrierCode("EXPIRED_047", "短信有效期已过", 1),
        ),
        "handset": (
            CarrierCode("007", "用户存储已满", 3),
            CarrierCode("008", "非短信终端", 1),
        ),
    },
    "china_unicom": {
        "recipient": (
            # One digit: means something else at every operator.
            CarrierCode("1", "空号", 14),
            CarrierCode("12", "空号、停机或关机", 8),
            CarrierCode("24", "用户停机", 8),
            CarrierCode("64", "用户关机或不在服务区", 8),
            CarrierCode("UNDELIV", "短信不可送达", 6),
            # A time of day that a spreadsheet turned into a fraction; published as such.
            CarrierCode("0.209722", "用户停机", 1),
        ),
        "policy": (
            CarrierCode("69", "用户处于黑名单", 6),
            CarrierCode("76", "信息安全鉴权失败", 3),
            CarrierCode("77", "超过提交限额", 2),
        ),
        "network": (
            CarrierCode("EXPIRED", "短信有效期已过", 6),
            # Looks like a formula in a spreadsheet.
            CarrierCode("-1", "运营商内部错误", 2),
            CarrierCode("14", "运营商内部错误", 2),
            CarrierCode("21", "目的地不可达", 1),
        ),
        "handset": (
            CarrierCode("26", "手机存储空间已满", 2),
            # Looks like a time of day.
            CarrierCode("2:24", "手机接收失败", 2),
        ),
    },
    "foreign": {
        "recipient": (CarrierCode("UNDELIV", "", 5), CarrierCode("UNDELIVERABLE", "", 1)),
        "policy": (CarrierCode("BLACK", "", 2), CarrierCode("LIMIT", "", 1)),
        "network": (
            CarrierCode("EXPIRED", "", 4),
            CarrierCode("NOROUTE", "", 1),
            CarrierCode("DELETED", "", 1),
        ),
        "handset": (CarrierCode("OVERDUE", "", 1),),
    },
}

_PARTY_NAMES = tuple(PARTIES)
_PARTY_BOUNDS = tuple(accumulate(PARTIES.values()))
_CODE_BOUNDS = {
    (operator, party): tuple(accumulate(code.weight for code in codes))
    for operator, parties in _CODES.items()
    for party, codes in parties.items()
}


def draw_failure(rng: random.Random, operator: str) -> Failure:
    """Draw who is at fault and the code ``operator`` reports for it."""
    party = rng.choices(_PARTY_NAMES, cum_weights=_PARTY_BOUNDS)[0]
    return Failure(party, draw_code(rng, operator, party))


def draw_code(rng: random.Random, operator: str, party: str) -> CarrierCode:
    """Draw a code of ``operator`` for a failure that is the fault of ``party``."""
    if party == "unknown":
        return rng.choices(_UNKNOWN, weights=[code.weight for code in _UNKNOWN])[0]
    bounds = _CODE_BOUNDS[operator, party]
    return rng.choices(_CODES[operator][party], cum_weights=bounds)[0]


def all_codes() -> list[tuple[str, str, CarrierCode]]:
    """List every code that can be drawn, as (operator, party, code)."""
    known = [
        (operator, party, code)
        for operator, parties in _CODES.items()
        for party, codes in parties.items()
        for code in codes
    ]
    return known + [(operator, "unknown", code) for operator in _CODES for code in _UNKNOWN]
