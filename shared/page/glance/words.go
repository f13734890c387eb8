package glance

// The words that a person reads, by tile. Those in the markup are in the .html files.

// The verdict.

const (
	allWell      = "All well"
	notKnown     = "Not all of it can be read"
	nothingKnown = "Nothing is known of this time"
	oneThing     = "1 thing needs you"
	nThings      = "%d things need you"
	noAlerts     = "The alerts cannot be read"
	// StoreAway is what guests are told when nothing can be read.
	StoreAway    = "hearth cannot read its store just now"
	tileAway     = "%s cannot be read just now"
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

// The sun, in the header.

const (
	sunWord  = "sun "
	sunRises = "sunrise "
	sunSets  = "sunset "
	sunUp    = "sun all day"
	sunDown  = "no sun today"
)

// The tile weather.

const (
	todayWord    = "today"
	restWord     = "for the rest of the day"
	soFar        = "until then"
	fromTo       = "%s to %s° %s"       // "6 to 12° today"
	aboutDegrees = "about %s° %s"       // "about 6° today"
	downTo       = "down to %s tonight" // "down to 6° tonight"
	frostDownTo  = "frost tonight, down to %s"
	frostTonight = "frost tonight"
	frostNow     = "frost in the morning"
	dryUntil     = "dry until %s"
	then         = ", then %s" // "dry until 23, then 6 mm"
	dryFor       = "dry for %d days"
	wetUntil     = "%s until %s, %s" // "rain until 17, 4 mm"
	soonUntil    = " until %s"       // "6 mm until 17"
	endsSoon     = ", soon over"     // "rain, soon over"
	onAndOn      = " for days"
	rainNoun     = "rain"
	snowNoun     = "snow"
	thunderNoun  = "thunderstorms"
	aLittleRain  = "a little rain"
	gustsTo      = "gusts to %s\u00a0%s" // "gusts to 20 m/s around 17"
	gustsAround  = " around %s"
	feelsLike    = "feels like %s°"
	windAt       = "wind %s\u00a0%s%s" // "wind 3 m/s from S"
	windFrom     = " from %s"
	calm         = "calm"
	forecastOld  = "forecast %s old" // "forecast 2 days old"
	curveSays    = "The next 24 hours: lowest %s° at %s, highest %s° at %s"
	curveRain    = ", %s %s of rain or snow"

	temperatureWord = "Temperature"
	rainWord        = "Rain in the last hour"
	windWord        = "Wind"
	humidityWord    = "Humidity"
	pressureWord    = "Pressure"
)

var compass = []string{"N", "NE", "E", "SE", "S", "SW", "W", "NW"}

// The tile today.

const (
	tasksWord  = "Tasks"
	allDay     = "all day"
	untilWord  = "until "
	andMore    = "%d more"
	daysLate   = "%d days late"
	oneDayLate = "1 day late"
	idleFor    = "idle %d d"
	moreTasks  = "%d more tasks"
	lateOrDue  = "late or due today"
)

// The tile air.

const (
	airOutside   = "Outside"
	airInside    = "Inside, most %s"
	airFine      = "Air is fine"
	airRoom      = "Air %s" // "Air the office"
	airBriefly   = "Air %s, but briefly"
	keepShut     = "Keep it shut"
	airOutsideIs = "Air outside"
	keepWindows  = " · keep the windows closed"
	theRoom      = "the room"
	theWord      = "the "
)

var (
	pollutionWords = []string{"good", "moderate", "unhealthy for sensitive groups", "unhealthy", "very unhealthy", "hazardous"}
	co2Words       = []string{"good", "stuffy", "very stuffy"}
	vocWords       = []string{"good", "moderate", "high", "very high"}
)

// The tile rooms.

const (
	wordDamp = "damp"
	wordOpen = "open"
)

// The tile power.

const (
	titlePower        = "Power"
	asYesterday       = "as much as yesterday by now"
	lessThanYesterday = " less than yesterday by now"
	moreThanYesterday = " more than yesterday by now"
	wordSilent        = "silent"
	notCounted        = ", not counted"
	moreSilent        = "%d more silent"
	plotLabel         = "Power today: most %s"
	plotYesterday     = "yesterday: most %s"
)

// The tile house.

const (
	oneWell       = "1 device well"
	nWell         = "%s devices well"
	offlineSince  = "offline"
	wordBattery   = "battery"
	suspectValues = "suspect values"
	clockNotSet   = "its clock is not set"
	doesNotChange = "its value does not change,"
	oneWaits      = "1 device depends on it"
	nWait         = "%s devices depend on it"
	oneDead       = "1 message could not be read"
	nDead         = "%s messages could not be read"
	moreThan      = "more than "
	oneMissing    = "1 reading missing"
	nMissing      = "%s readings missing"
	nOpen         = "%d windows and doors open"
	allClosed     = "windows and doors closed"
	noLeak        = "no leak"
)

// The tile computers.

const gpuTitle, fanTitle, oneFanTitle, caseTitle, aboveIntake = "GPU", "fans", "fan", "case", " above intake"

// The tile stocks.

// stockNames are the names of symbols that many people follow: a quote has none.
var stockNames = map[string]string{
	"SPY": "S&P 500", "VOO": "S&P 500", "IVV": "S&P 500", "VTI": "US market", "QQQ": "Nasdaq 100", "DIA": "Dow Jones", "IWM": "Russell 2000", "VT": "World", "VXUS": "World without US",
	"BND": "US bonds", "AGG": "US bonds", "TLT": "Long US bonds", "GLD": "Gold", "SLV": "Silver", "USO": "Oil", "SCHD": "US dividends",
	"AAPL": "Apple", "MSFT": "Microsoft", "NVDA": "Nvidia", "GOOGL": "Alphabet", "GOOG": "Alphabet", "AMZN": "Amazon", "META": "Meta", "TSLA": "Tesla", "INTC": "Intel",
	"AVGO": "Broadcom", "TSM": "TSMC", "ARM": "Arm", "MU": "Micron", "QCOM": "Qualcomm", "TXN": "Texas Instruments", "NFLX": "Netflix", "ORCL": "Oracle", "CRM": "Salesforce",
	"ADBE": "Adobe", "CSCO": "Cisco", "SHOP": "Shopify", "NET": "Cloudflare", "BRK.A": "Berkshire", "BRK.B": "Berkshire", "JPM": "JPMorgan", "V": "Visa",
	"MA": "Mastercard", "KO": "Coca-Cola", "PEP": "PepsiCo", "MCD": "McDonald's", "DIS": "Disney", "NKE": "Nike", "COST": "Costco", "WMT": "Walmart", "HD": "Home Depot", "XOM": "Exxon",
	"JNJ": "Johnson & Johnson", "PFE": "Pfizer", "LLY": "Eli Lilly", "UNH": "UnitedHealth", "BA": "Boeing", "UBER": "Uber", "ABNB": "Airbnb", "SPOT": "Spotify", "NOK": "Nokia", "SONY": "Sony",
}

// The tile curve.

const curveNormal, curveFlat, curveInverted, curveTitle = "normal", "flat", "inverted", "Yield curve of"

// curveAgo says of which time the curves before are.
var curveAgo = []string{"a month ago", "six months ago", "a year ago"}

// The tile github.

const redOn, vulnerable = "red on ", "vulnerable dependency of "

// The tile news.

const inStockAt = "%s in stock at %s" // "Pi 5 8 GB in stock at Adafruit"

// The tile ups.

const upsLasts, upsCharge, upsLoad, onBattery = "battery lasts", "charge", "load", "on battery"

// The tile new.

const (
	oneNew   = "A new device"
	nNew     = "%d new devices"
	nameIt   = "give it a name and a room"
	nameThem = "give them names and rooms"
)

// The tile wifi.

const wifiLabel = "A code to join the Wi-Fi %s: point the camera of a telephone at it"

// The user's own tiles.
