"""Word lists of English by which follow-ups are rewritten: closed classes, names, places.

A follow-up that depends on a word missing here is asked back or left as it is, never guessed.
"""

QUESTION_WORDS = frozenset("who whom whose what when where which why how".split())
BE = frozenset("is are was were be been being am 's".split())
AUXILIARIES = BE | frozenset(
    "do does did has have had will would can could shall should may might must".split()
)
DETERMINERS = frozenset(
    "the a an this that these those his her its their our my your any some every each no".split()
)
PREPOSITIONS = frozenset(
    """about above across after against along among around as at before behind below beneath
    beside between beyond by despite during for from in inside into near of off on onto out
    outside over past since than through throughout to toward towards under until up upon with
    within without""".split()
)
CONNECTIVES = frozenset("and or but nor so because while whereas if that than as".split())
ADVERBS = frozenset(
    """again ago already also always away else ever exactly finally here just later never not now
    often once only probably really recently soon still then there today together too twice well
    yesterday yet""".split()
)
PRONOUNS = frozenset(
    """i you he she it we they me him her us them his hers its their theirs mine yours ours
    himself herself itself themselves anyone anybody anything someone somebody something
    everyone everybody everything nobody nothing one ones""".split()
)
FUNCTION_WORDS = (
    QUESTION_WORDS
    | AUXILIARIES
    | DETERMINERS
    | PREPOSITIONS
    | CONNECTIVES
    | ADVERBS
    | PRONOUNS
    | frozenset("there many much more other others same such both all few several".split())
)

# Irregular past tenses and participles that news questions use.
IRREGULAR_PAST = frozenset(
    """beat became began bit bled blew bought bound broke brought built burnt came caught chose
    cost cut dealt did died drew drove drowned fell fought found flew fled gave got grew held
    hid hit hurt kept knew laid led left lent lost made meant met paid put quit ran rang read
    rose said sang sank sat saw sent shook shot shut slept sold spent spoke spread stole stood
    struck stuck swam swore taken taught thought threw told took understood went won wore wrote
    stolen given known seen shown written driven born broken chosen fallen flown beaten done
    gone worn torn sworn grown drawn thrown hidden frozen woken come become""".split()
)

MONTHS = frozenset(
    """january february march april may june july august september october november
    december""".split()
)
WEEKDAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())

MALE_TITLES = frozenset("mr sir lord king prince duke father pope brother".split())
FEMALE_TITLES = frozenset(
    "mrs ms miss lady dame queen princess duchess mother sister actress".split()
)
ROLES = frozenset(
    """president minister mayor governor senator chancellor premier secretary ambassador judge
    justice lawyer lawmaker politician candidate leader chief director chairman chairwoman
    spokesman spokeswoman officer general colonel captain pilot driver cosmonaut astronaut
    scientist professor doctor dr nurse researcher physicist chemist biologist mathematician
    astronomer oceanographer historian economist philosopher author writer poet novelist
    journalist reporter editor singer musician composer actor actress comedian director artist
    painter designer photographer player footballer striker goalkeeper coach runner sprinter
    boxer wrestler cyclist swimmer champion athlete inventor engineer founder billionaire
    businessman businesswoman banker bishop cardinal priest imam pope saint king queen prince
    princess emperor sultan duke duchess lord lady sir suspect attacker gunman killer murderer
    victim survivor activist protester soldier policeman boy girl man woman teenager teacher
    student widow widower farmer baker chef""".split()
)
GROUP_WORDS = frozenset(
    """university college school institute court parliament congress senate party union council
    committee commission agency ministry department office bank company corporation group team
    club association federation league society church police army navy force forces airlines
    airways motors news times post press foundation organisation organization board
    nations""".split()
)
PLACE_WORDS = frozenset(
    """airport palace city town village island islands river lake mountain mountains sea ocean
    street avenue road square park bridge tower hall stadium hotel hospital prison cathedral
    county province state district region country continent capital port harbour bay valley
    station""".split()
)
# Content words of questions that fit any event. A question without others does not stand on
# its own.
GENERIC = frozenset(
    """people person persons man men woman women child children passenger passengers crew board
    aboard victim victims survivor survivors casualty casualties dead death deaths toll injured
    injuries wounded missing homeless affected die dies died dying kill kills killed killing
    injure hurt wound survive survived evacuate evacuated arrest arrested charge charged detain
    detained rescue rescued save saved find found lose lost win won wins winner winning happen
    happened happens next end ended begin began start started last lasted take took place cause
    caused blame blamed damage damaged cost costs pay paid say says said tell told announce
    announced decide decided know known responsible involved come came finish finished second
    third fourth fifth last first runner-up seriously badly slightly many much old long far fast
    high big large tall deep age reason name named called kind sort number money total exactly
    result results outcome consequences response reaction react reacted respond responded do
    done doing go went gone get got make made give given get become became help helped
    discuss discussed talk talked agree agreed think thought mean want wanted score scored vote
    votes voted attend attended see seen show shown""".split()
)
# Nouns that refer to the earlier question when only "the" or "that" stands before them.
POINTING_NOUNS = frozenset(
    """accident agreement aircraft airline article attack attacker award ban battle bill blast
    boat body bomb book bridge building bus campaign car case ceremony championship city club
    coach collapse company concert conference contest country couple court crash crew date deal
    decision disaster disease driver earthquake election event eruption explosion fight film
    final fire firm flight flood game government group gunman house hurricane incident interview
    investigation judge jury killer launch law leader man march marathon match mayor meeting
    minister mission movie murder museum organisation outbreak owner party patient pilot plane
    planet police president prize project protest race record report rescue researchers rocket
    ruling satellite school scientists search sentence ship shooting show spacecraft speech
    statement storm strike study suspect talks team theft thief thing time tour town train trial
    two trip university vaccine vessel victims village visit volcano vote war winner woman work
    year""".split()
)

PLACES = frozenset(
    """afghanistan albania algeria angola argentina armenia australia austria azerbaijan bahrain
    bangladesh belarus belgium bolivia bosnia botswana brazil britain bulgaria burma cambodia
    cameroon canada chad chile china colombia congo croatia cuba cyprus denmark ecuador egypt
    england eritrea estonia ethiopia europe finland france gaza georgia germany ghana greece
    guatemala haiti honduras hungary iceland india indonesia iran iraq ireland israel italy jamaica
    japan jordan kazakhstan kenya kosovo kuwait laos latvia lebanon liberia libya lithuania
    luxembourg macedonia malawi malaysia mali malta mexico moldova mongolia montenegro morocco
    mozambique myanmar namibia nepal netherlands nicaragua niger nigeria norway oman pakistan
    palestine panama paraguay peru philippines poland portugal qatar romania russia rwanda
    scotland senegal serbia singapore slovakia slovenia somalia spain sudan sweden switzerland
    syria taiwan tajikistan tanzania thailand tunisia turkey turkmenistan uganda ukraine uruguay
    uzbekistan venezuela vietnam wales yemen zambia zimbabwe africa asia antarctica america
    alabama alaska arizona arkansas california colorado connecticut delaware florida hawaii idaho
    illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan
    minnesota mississippi missouri montana nebraska nevada ohio oklahoma ontario oregon
    pennsylvania quebec tennessee texas utah vermont virginia wisconsin wyoming queensland
    kerala punjab crimea catalonia bavaria siberia
    amsterdam ankara athens atlanta auckland baghdad bangkok barcelona beijing beirut belfast
    berlin birmingham boston brussels budapest cairo calcutta chicago copenhagen dallas damascus
    delhi detroit dhaka dublin edinburgh frankfurt geneva glasgow hamburg hanoi havana helsinki
    houston istanbul jakarta jerusalem johannesburg kabul karachi kiev kyiv lagos lahore lima
    lisbon liverpool london lyon madrid manchester manila marseille mecca melbourne miami milan
    montreal moscow mumbai munich nairobi naples osaka oslo ottawa paris philadelphia prague
    pyongyang rome santiago seoul shanghai stockholm sydney taipei tehran tokyo toronto tripoli
    vancouver venice vienna warsaw washington wellington zurich mars moon earth""".split()
) | {
    "new york",
    "new zealand",
    "north korea",
    "south korea",
    "saudi arabia",
    "sri lanka",
    "south africa",
    "united states",
    "united kingdom",
    "hong kong",
    "los angeles",
    "san francisco",
    "new delhi",
    "czech republic",
    "costa rica",
    "el salvador",
    "ivory coast",
    "north carolina",
    "south carolina",
    "new jersey",
    "new mexico",
    "middle east",
    "puerto rico",
    "northern ireland",
    "papua new guinea",
    "sierra leone",
    "burkina faso",
    "south sudan",
    "latin america",
}

MALE_NAMES = frozenset(
    """adam alan albert alex alexander alexei andrew antony anthony arthur barack ben benjamin
    bill boris brian bruce carlos charles chris christopher daniel david dmitry donald edward
    eliud elon emmanuel eric francis frank fred gary george giuseppe gordon greg harry henry
    hugo ivan jack jacques jair james jason jeff jean jeremy jim joe john jonathan jorge jose
    joseph juan justin karl keir ken kevin larry leo lewis louis luis luke marco mark martin
    matthew michael mike mohamed mohammed muhammad narendra nicholas nicolas nigel olaf oliver
    oscar patrick paul pedro peter philip philippe ralph ricardo richard rishi robert roger
    ronald samuel scott sergei simon stephen steven ted terry thomas tim tom tony vladimir
    volodymyr walter william xi yoon""".split()
)
FEMALE_NAMES = frozenset(
    """alice amanda amy andrea angela angelina ann anna anne annie barbara beatrice brenda
    brigid camilla carla carol caroline catherine charlotte christine claire diana donna
    dorothy elena elizabeth ellen emily emma eva fiona frances giorgia grace greta hannah
    heather helen hillary isabel jacinda jane janet jennifer jessica joan joanna julia julie
    kamala karen kate katherine kathleen laura lauren linda lisa lucy malala margaret maria
    marie marine martha mary megan melania melissa michelle monica nancy natalia nicola nikki
    olga olivia pamela patricia paula priti rachel rebecca rosa rose ruth sally sandra sanna
    sarah serena sheila simone sofia sophie stephanie susan tatiana teresa theresa tina ursula
    valerie vanessa victoria virginia yulia""".split()
)
