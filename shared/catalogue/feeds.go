package catalogue

var _ = declare(Family{Function: "feeds", place: 50, Title: "News", About: "Entries of feeds and of web pages that match rules"})
