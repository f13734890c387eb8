package glance

// The words that a person reads, by tile. Those in the markup are in the .html files.

// The verdict.

const (
	allWell      = "All well"
	notKnown     = "Not all of it can be read"
	oneThing     = "1 thing needs you"
	nThings      = "%d things need you"
	noAlerts     = "The alerts cannot be read"
	dependOnIt   = "%d more because of it"
	acknowledged = "acknowledged"
	silenced     = "silenced"
	maintained   = "in maintenance"
)

// The last line.

const (
	onePipeline = "1 pipeline on time"
	nPipelines  = "%d pipelines on time"
	onSamples   = "%d on sample data"
	isLate      = "%s late"
	notSeenFor  = "not seen for %s"
	cannotStart = "cannot start"
	hasFailed   = "failed"
	mustWait    = "waits"
)

// The tile weather.

// The tile today.

// The tile air.

// The tile rooms.

// The tile power.

// The tile house.

// The tile computers.

// The tile stocks.

// The tile curve.

// The tile github.

// The tile news.

// The tile ups.

// The user's own tiles.
