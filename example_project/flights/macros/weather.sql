-- What an hour was like, in one word: the first that holds, worst sight first.
create macro weather_kind(visibility, rain, wind, temperature, low_visibility, strong_wind) as
case
    when visibility < low_visibility then 'low visibility'
    when rain >= 0.10 then 'heavy rain'
    when rain > 0 then 'light rain'
    when wind >= strong_wind then 'strong wind'
    when temperature <= 32 then 'dry frost'
    else 'fair'
end;

-- Tenths as a decimal, so that sums stay exact and every run gives the same digits.
create macro from_tenths(tenths, per) as
(tenths::decimal(18, 1) / 10 / nullif(per, 0))::decimal(9, 1);
