"""A small contract that the lint has nothing to say about; tests spoil one thing in it."""

from __future__ import annotations

from pathlib import Path

GOOD = """\
apiVersion: v3.2.0
kind: DataContract
id: markets
name: Chợ
version: 1.0.0
status: active
description:
  purpose: Danh sách chợ.
team:
  name: Sở Công Thương
customProperties:
  - {property: delivery, value: snapshot}
  - {property: validTime, value: asOf}
  - {property: senderScope, value: ownCommune}
  - {property: scope, value: commune_code}
  - {property: senders, value: [communes]}
  - {property: periodType, value: quarter}
slaProperties:
  - {property: frequency, value: 1, unit: quarter}
  - {property: dueDay, value: 7, unit: d}
schema:
  - name: markets
    logicalType: object
    businessName: Danh sách chợ
    properties:
      - name: commune_code
        businessName: Mã xã
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        relationships:
          - {to: units.code}
        customProperties:
          - {property: semanticType, value: commune_code}
          - {property: defaultFrom, value: sender}
      - name: market_name
        businessName: Tên chợ
        logicalType: string
        logicalTypeOptions: {maxLength: 100}
        required: true
        primaryKey: true
        primaryKeyPosition: 2
        synonyms:
          - {synonym: Chợ}
        customProperties:
          - {property: semanticType, value: name}
      - name: rank
        businessName: Hạng
        logicalType: string
        enum:
          - {value: H1, label: Hạng một}
          - value: H2
            label: Hạng hai
            customProperties:
              - {property: synonyms, value: [Loại II]}
        customProperties:
          - {property: semanticType, value: category}
      - name: stalls
        businessName: Số quầy
        logicalType: integer
        logicalTypeOptions: {minimum: 0}
        required: true
        customProperties:
          - {property: semanticType, value: integer}
          - {property: unit, value: quầy}
        quality:
          - id: stalls_bounds
            type: custom
            engine: greatExpectations
            severity: error
            implementation:
              type: expect_column_values_to_be_between
              kwargs: {max_value: 5000}
            customProperties:
              - {property: message, value: Số quầy quá lớn.}
              - {property: remedy, value: Kiểm tra số quầy.}
      - name: used_stalls
        businessName: Số quầy đang dùng
        logicalType: integer
        customProperties:
          - {property: semanticType, value: integer}
      - name: opened_on
        businessName: Ngày mở
        logicalType: date
        customProperties:
          - {property: semanticType, value: date}
    quality:
      - id: used_within_stalls
        type: custom
        engine: greatExpectations
        severity: warning
        implementation:
          type: expect_column_pair_values_a_to_be_greater_than_b
          kwargs: {column_A: stalls, column_B: used_stalls, or_equal: true, ignore_row_if: either_value_is_missing}
        customProperties:
          - {property: message, value: Số quầy đang dùng nhiều hơn số quầy.}
          - {property: remedy, value: Kiểm tra hai cột.}
      - id: great_markets_say_since_when
        type: custom
        engine: greatExpectations
        severity: error
        implementation:
          type: expect_column_values_to_not_be_null
          kwargs: {column: opened_on, when: {rank: H1}}
        customProperties:
          - {property: message, value: Chợ hạng một phải ghi ngày mở.}
          - {property: remedy, value: Ghi ngày mở.}
"""


def spoilt(old: str, new: str, text: str = GOOD) -> str:
    """The good contract with the one place where ``old`` stands replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def write(folder: Path, text: str = GOOD, name: str = "markets.odcs.yaml") -> Path:
    """The contract as a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
