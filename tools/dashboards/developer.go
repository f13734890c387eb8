package main

// developer is the dashboard of GitHub.
func developer() *page {
	p := &page{uid: "developer", title: "Developer", about: "GitHub: Actions minutes and cost, workflow runs, Dependabot alerts", from: "now-30d", refresh: "15m"}
	p.open("Now")
	for _, q := range []quantity{
		{title: "Actions minutes used", about: "Of the plan, this month", fields: []string{"github_usage.minutes_used"}, draw: number},
		{title: "Actions minutes left", about: "This month", fields: []string{"github_usage.minutes_left"}, draw: number},
		{title: "Actions cost", about: "This month, after discounts", fields: []string{"github_usage.net_usd"}, draw: number},
		{title: "Dependabot alerts", about: "Open alerts by repository and severity", fields: []string{"github_alerts.open_alerts"}, draw: number},
		{title: "Token valid for", about: "Since it was last read", fields: []string{"github_token.valid_seconds"}, draw: number},
	} {
		p.show("", 4, 6, q)
	}
	p.open("Workflow runs")
	p.show("", 12, 9, quantity{title: "Workflow duration", fields: []string{"github_workflow_run.duration_seconds"}, draw: plot})
	p.add(12, 9, readingTable("Workflow runs", "The newest first", readings{of: "github_workflow_run", start: "-30d", newest: true, labels: []string{"repo", "workflow"},
		keys: []string{"conclusion", "duration_seconds", "run_attempt", "branch", "event"}}))
	p.open("Alerts and cost")
	p.add(12, 9, rows("Open items of GitHub", "Security alerts and failed runs", sql(`select title as "Title", target as "Repository", attributes ->> 'severity' as "Severity", `+ago("coalesce(at, seen)")+` as "Age", url as "Link"
from hearth.items
where source = 'github' and closed is null
order by coalesce(at, seen) desc
limit 100`), append(linked("Title"), as("Age", "s"))...))
	p.show("", 12, 9, quantity{title: "Cost by repository and product", about: "Of each day", fields: []string{"github_cost.net_usd"}, draw: bars, fn: "sum"})
	for _, m := range measurements("github_usage", "github_cost", "github_workflow_run", "github_alerts", "github_token") {
		p.numbers(m)
	}
	return p
}
