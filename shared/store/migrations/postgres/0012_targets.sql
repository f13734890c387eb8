-- serves: 12
-- What a person was told about a target's failure is in the table alerts.
alter table targets drop column told;
alter table targets drop column causes;
