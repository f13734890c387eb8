-- For the deletion of dead letters a day after they were replayed or dropped.
create index dead_letters_gone on dead_letters (told) where gone;
