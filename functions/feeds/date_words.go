package function

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold returns s in lower case without accents and with plain spaces, digits and dashes, so
// that "Déc." and "dec." are the same.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Cf):
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.Pd, r) || r == '\u2212':
			b.WriteByte('-')
		case r == 'ı':
			b.WriteByte('i')
		case r == 'ł':
			b.WriteByte('l')
		case r == 'ø':
			b.WriteByte('o')
		case '٠' <= r && r <= '٩':
			b.WriteRune('0' + r - '٠')
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(norm.NFC.String(b.String())) // Korean letters together again
}

// english are the months that need no other language: an abbreviation of theirs is never
// taken for a month of another one.
const english = "january february march april may june july august september october november december"

// months has the months of other languages, from January on; a slash is between the forms of
// one. A word of three letters or more may stand for a name that begins with it. Where two
// languages disagree (listopad), the weekday decides, or else the first one does.
const months = `
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
januar/janner februar/feber marz/maerz/mrz april mai juni juli august september oktober november dezember
enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
januari/jannewaris februari maart/mrt/mars april mei/maj juni juli augustus/augusti september oktober november december
januar februar marts/mars april maj juni juli august september oktober november december/desember
styczen/stycznia luty/lutego marzec/marca kwiecien/kwietnia maj/maja czerwiec/czerwca lipiec/lipca sierpien/sierpnia wrzesien/wrzesnia pazdziernik/pazdziernika listopad/listopada grudzien/grudnia
leden/ledna unor/unora brezen/brezna duben/dubna kveten/kvetna cerven/cervna/cvn cervenec/cervence/cvc srpen/srpna zari rijen/rijna listopad/listopadu prosinec/prosince
januar/januara februar/februara marec/marca april/aprila maj/maja jun/juna jul/jula august/augusta september/septembra oktober/oktobra november/novembra december/decembra
sijecanj/sijecnja veljaca/veljace ozujak/ozujka travanj/travnja svibanj/svibnja lipanj/lipnja srpanj/srpnja kolovoz/kolovoza rujan/rujna listopad/listopada studeni/studenoga/studenog prosinac/prosinca
januar februar mart april maj jun/juni jul/juli avgust septembar oktobar novembar decembar
januar februar marec april maj junij julij avgust september oktober november december
januar februar marcius aprilis majus junius julius augusztus szeptember oktober november december
ianuarie/ian februarie martie aprilie mai iunie/iun iulie/iul august septembrie octombrie noiembrie/noi decembrie
tammikuu/tammikuuta helmikuu/helmikuuta maaliskuu/maaliskuuta huhtikuu/huhtikuuta toukokuu/toukokuuta kesakuu/kesakuuta heinakuu/heinakuuta elokuu/elokuuta syyskuu/syyskuuta lokakuu/lokakuuta marraskuu/marraskuuta joulukuu/joulukuuta
jaanuar veebruar marts aprill mai juuni juuli august september oktoober november detsember
janvaris/janvari februaris/februari marts/marta aprilis/aprili maijs/maija junijs/junija julijs/julija augusts/augusta septembris/septembri oktobris/oktobri novembris/novembri decembris/decembri
sausis/sausio vasaris/vasario kovas/kovo balandis/balandzio geguze/geguzes birzelis/birzelio liepa/liepos rugpjutis/rugpjucio/rgp rugsejis/rugsejo/rgs spalis/spalio lapkritis/lapkricio gruodis/gruodzio/grd
januar februar mars april mai juni juli agust september oktober november desember
gener febrer marc abril maig juny juliol agost setembre octubre novembre desembre
xaneiro febreiro marzo abril maio xuno xullo agosto setembro outubro novembro decembro
urtarrila/urtarrilaren otsaila/otsailaren martxoa/martxoaren apirila/apirilaren maiatza/maiatzaren ekaina/ekainaren uztaila/uztailaren abuztua/abuztuaren iraila/irailaren urria/urriaren azaroa/azaroaren abendua/abenduaren
ocak/oca subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik
januari februari maret april mei juni juli agustus september oktober november desember
januari februari mac april mei jun julai ogos september oktober november disember
enero pebrero marso abril mayo hunyo hulyo agosto setyembre oktubre nobyembre disyembre
yanvar fevral mart aprel may iyun/iyn iyul/iyl avqust/avgust sentyabr/sentabr oktyabr/oktabr noyabr dekabr
januar februar maerz abrell mee juni juli august september oktober november dezember
januarie februarie maart april mei junie julie augustus september oktober november desember
jannar frar marzu april mejju gunju lulju awwissu settembru ottubru novembru dicembru
ionawr chwefror mawrth ebrill mai mehefin gorffennaf awst medi hydref tachwedd rhagfyr
januari februari machi aprili mei juni julai agosti septemba oktoba novemba desemba
հունվարի/հնվ փետրվարի/փտվ մարտի/մրտ ապրիլի մայիսի/մյս հունիսի/հնս հուլիսի/հլս օգոստոսի/օգս սեպտեմբերի հոկտեմբերի նոյեմբերի դեկտեմբերի
იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი ოქტომბერი ნოემბერი დეკემბერი
қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан
janar/janari shkurt/shkurti mars/marsi prill/prilli maj/maji qershor/qershori korrik/korriku gusht/gushti shtator/shtatori tetor/tetori nentor/nentori dhjetor/dhjetori
ιανουαριος/ιανουαριου φεβρουαριος/φεβρουαριου μαρτιος/μαρτιου/μαω απριλιος/απριλιου μαιος/μαιου ιουνιος/ιουνιου/ιον ιουλιος/ιουλιου/ιολ αυγουστος/αυγουστου σεπτεμβριος/σεπτεμβριου οκτωβριος/οκτωβριου νοεμβριος/νοεμβριου δεκεμβριος/δεκεμβριου
январь/января февраль/февраля март/марта апрель/апреля май/мая июнь/июня июль/июля август/августа сентябрь/сентября октябрь/октября ноябрь/ноября декабрь/декабря
сичень/січень/січня лютий/лютого березень/березня квітень/квітня травень/травня червень/червня липень/липня серпень/серпня вересень/вересня жовтень/жовтня листопад/листопада грудень/грудня
студзень/студзеня люты/лютага сакавік/сакавіка красавік/красавіка май/мая чэрвень/чэрвеня ліпень/ліпеня жнівень/жніўня верасень/верасня кастрычнік/кастрычніка лістапад/лістапада снежань/снежня
януари февруари март април май юни юли август септември октомври ноември декември
јануар/јануари фебруар/февруари март април мај јун/јуни јул/јули август/авг септембар/септември октобар/октомври новембар/ноември децембар/декември
ינואר/בינואר פברואר/בפברואר מרץ/במרץ/מרס/במרס אפריל/באפריל מאי/במאי יוני/ביוני יולי/ביולי אוגוסט/באוגוסט ספטמבר/בספטמבר אוקטובר/באוקטובר נובמבר/בנובמבר דצמבר/בדצמבר
يناير/جانفي فبراير/فيفري مارس أبريل/ابريل/أفريل مايو/ماي يونيو/جوان يوليو/جويلية/يوليوز أغسطس/اغسطس/أوت/غشت سبتمبر/شتنبر أكتوبر/اكتوبر نوفمبر/نونبر ديسمبر/دجنبر`

// weekdays has the days of the week, from Monday on. A word of two letters or more may stand
// for a name that begins with it. A weekday only decides what is ambiguous otherwise: many
// feeds have wrong ones.
const weekdays = `
monday tuesday wednesday thursday friday saturday sunday
lundi mardi mercredi jeudi vendredi samedi dimanche
montag dienstag mittwoch donnerstag freitag samstag/sonnabend sonntag
lunes martes miercoles jueves viernes sabado domingo
lunedi martedi mercoledi giovedi venerdi sabato domenica
segunda terca quarta quinta sexta sabado domingo
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
mandag tirsdag onsdag torsdag fredag lordag sondag
mandag tisdag onsdag torsdag fredag lordag sondag
poniedzialek/pon wtorek/wto sroda/sr czwartek/czw piatek/pt/pia sobota/sob niedziela/nd/nie
pondeli/po utery/ut streda/st ctvrtek/ct patek/pa sobota/so nedele/ne
pondelok utorok streda stvrtok piatok sobota nedela
ponedjeljak/ponedeljak/ponedeljek utorak/torek srijeda/sreda cetvrtak/cetrtek petak/petek subota/sobota nedjelja/nedelja
hetfo/h kedd/k szerda/sze csutortok/cs pentek/p szombat/szo vasarnap/v
luni marti miercuri joi vineri sambata duminica
maanantai tiistai/ti keskiviikko/ke torstai/to perjantai/pe lauantai/la sunnuntai/su
esmaspaev teisipaev kolmapaev neljapaev reede laupaev puhapaev
pirmdiena otrdiena tresdiena ceturtdiena piektdiena sestdiena svetdiena
pirmadienis antradienis treciadienis ketvirtadienis penktadienis sestadienis sekmadienis
dilluns dimarts dimecres dijous divendres dissabte diumenge
pazartesi/pzt sali carsamba persembe cuma cumartesi/cmt pazar
senin selasa rabu kamis jumat sabtu minggu
δευτερα τριτη τεταρτη πεμπτη παρασκευη σαββατο κυριακη
понедельник/понеділок/понеделник/пн вторник/вівторок/вт/уторак среда/середа/сряда/ср четверг/четвер/четвъртък/чт/четвртак пятница/пʼятниця/петък/пт/петак суббота/субота/събота/сб/сб воскресенье/неділя/неделя/вс/нд/недеља
שני שלישי רביעי חמישי שישי שבת ראשון
الاثنين/الإثنين الثلاثاء الأربعاء/الاربعاء الخميس الجمعة السبت الأحد/الاحد`

// asides are words of a date that say nothing more.
var asides = strings.Fields(`
at on of the date posted published updated um om am der den de del di da do le el il la las les du des dal as a e i o à klo kl uhr h hrs
den dne dnia roku r rok g года г р року год в у o о u ob ore ora ure urae saat feira ngay thang nam chu nhat gada יום m d metu t alle kell στις ne ag pukul pada nang thg ta ж թ בשעה
في الساعة ב ה`)

// names finds the words of dates. Their keys are folded.
type names struct {
	months map[string][]int // 1 to 12, the likeliest first
	days   map[string]uint8 // a set of weekdays: 1<<time.Weekday
	asides map[string]bool
}

var dateNames = sync.OnceValue(func() names {
	n := names{months: map[string][]int{}, days: map[string]uint8{}, asides: map[string]bool{}}
	eachName(english, 3, func(word string, month int) { n.months[word] = []int{month + 1} })
	inEnglish := maps.Clone(n.months)
	eachName(months, 3, func(word string, month int) {
		if inEnglish[word] == nil && !slices.Contains(n.months[word], month+1) {
			n.months[word] = append(n.months[word], month+1)
		}
	})
	eachName(weekdays, 2, func(word string, day int) { n.days[word] |= 1 << ((day + 1) % 7) })
	for _, word := range asides {
		n.asides[fold(word)] = true
	}
	return n
})

// eachName calls f with each form of each name, and its beginnings of at least least letters. The
// n-th name of a line has the place n, from 0 on.
func eachName(lines string, least int, f func(word string, place int)) {
	for line := range strings.Lines(lines) {
		for place, forms := range strings.Fields(line) {
			for form := range strings.SplitSeq(fold(forms), "/") {
				for end := range form {
					if utf8.RuneCountInString(form[:end]) >= least {
						f(form[:end], place)
					}
				}
				f(form, place)
			}
		}
	}
}
