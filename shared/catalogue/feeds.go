package catalogue

var feeds = Family{Function: "feeds", Title: "News", About: "Entries of feeds and of web pages that match the rules"}
