package catalogue

var _ = declare(Family{Function: "asana", Private: true, place: 20, Title: "Tasks", About: "Open tasks of Asana projects, with their age and idle days"})
