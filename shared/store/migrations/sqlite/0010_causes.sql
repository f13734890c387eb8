-- serves: 8
-- The kinds of cause that were reported during a target's failure, separated by spaces:
-- each is reported once. Causes that nobody can mend have no kind.
alter table targets add column causes text not null default '';
