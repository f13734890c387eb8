package catalogue

var asana = Family{Function: "asana", Title: "Tasks", About: "Open tasks of Asana, with how long nobody touched them"}
