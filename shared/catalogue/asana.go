package catalogue

var _ = declare(Family{Function: "asana", place: 20, Title: "Tasks", About: "Open tasks of Asana, with how long nobody touched them"})
