-- Dead letters that are gone are deleted a day later.
create index dead_letters_gone on dead_letters (told) where gone;
