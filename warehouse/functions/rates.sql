/*
description: Rates with their uncertainty.
published: also in analytics.duckdb, for its readers
*/
create or replace temp macro rate(part, whole) as
    -- null, never 0, where there is nothing to divide by
    case when whole > 0 then part::double / whole end;

create or replace temp macro wilson_low(part, whole) as
    -- lower end of the 95 % interval of Wilson (1927); z = 1.959963984540054
    case when whole > 0 and part is not null then greatest(0.0, (
        part::double / whole + 3.8414588206941236 / (2 * whole)
        - 1.959963984540054 * sqrt(
            part::double / whole * (1 - part::double / whole) / whole
            + 3.8414588206941236 / (4.0 * whole * whole))
    ) / (1 + 3.8414588206941236 / whole)) end;

create or replace temp macro wilson_high(part, whole) as
    case when whole > 0 and part is not null then least(1.0, (
        part::double / whole + 3.8414588206941236 / (2 * whole)
        + 1.959963984540054 * sqrt(
            part::double / whole * (1 - part::double / whole) / whole
            + 3.8414588206941236 / (4.0 * whole * whole))
    ) / (1 + 3.8414588206941236 / whole)) end;

-- assert: rate(0, 0) is null
-- assert: round(wilson_low(95, 100), 4) = 0.8882
-- assert: round(wilson_high(95, 100), 4) = 0.9785
-- assert: wilson_low(0, 10) = 0.0
-- assert: coalesce(wilson_low(null, 10), wilson_high(null, 10)) is null
-- assert: wilson_high(10, 10) = 1.0
