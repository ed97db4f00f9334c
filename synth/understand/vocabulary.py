"""The general words people use: which mean the same, which name rows, which compare, and which only keep a sentence together."""

from __future__ import annotations

from typing import Final

from synth.understand.words import any_of

# Words of one line may stand for one another, in a request or in a column's name.
SAME: Final = """
customer client buyer purchaser shopper
employee staff worker colleague staffer personnel
salary pay wage earning compensation remuneration
city town
country nation
email mail
phone telephone tel mobile cell
quantity qty unit piece
product item article
category type kind class genre
department division dept
manager boss supervisor
author writer
rating score star
weight mass
temperature temp
rainfall precipitation rain
gender sex
vendor supplier
price cost
stock inventory
airline carrier
doctor physician
diagnosis condition disease illness
team club
goal score
address location
birth birthdate birthday dob
leave left termination terminated quit exit resigned
postcode zip zipcode postal
size byte
url path page endpoint
ip host
method verb
duration length
discount rebate
comment remark note
amount total value sum
revenue turnover sale
profit margin earning
signup registration registered joined created
hire hired joined employed start
order purchase
job position role title
start begin
end finish
speed velocity
pressure barometer
elevation altitude height
identifier id number no code
nationality country
surname lastname
ward unit
member borrower reader patron
message msg text
level severity
timestamp time date when datetime day
user account visitor
earthquake quake tremor
office location
film movie
song track
student pupil
teacher instructor
browser agent
referrer referer
store shop branch
region area territory
state province
payment pay
delay late
seat capacity
station site
sensor device
attendance crowd spectator audience
mechanic technician
donor giver contributor supporter
donation gift contribution
trip ride journey
bike bicycle
exam test
invoice bill
warehouse depot
score mark grade
fee charge
expenditure spending expense
satisfaction csat
priority urgency
assignee owner
area surface
street road
plate registration
runtime duration length
storey floor
guest visitor
shipment delivery parcel package consignment
expiry expiration expires expire
memory ram
site location branch
maker manufacturer brand make producer
serial sn
opening vacancy
company employer firm organisation organization
traveller traveler passenger
capital cap
host server machine
deploy deployment release rollout
outcome result
failure error
warehouse store
licence license
subscription plan
postcode plz
rep representative salesperson seller
spouse partner
workplace office
attendee participant
reporter requester
tier level
approver approved
"""

# What is asked for → what the column may be called; not the other way round.
ALSO: Final = {
    "revenue": ("amount", "total", "sale", "line total", "order total", "net amount", "total amount", "total price"),
    "sale": ("revenue", "amount", "total", "turnover", "total amount", "total price"),
    "turnover": ("amount", "total", "sale", "revenue"),
    "spending": ("amount", "total", "spend"),
    "spend": ("amount", "total", "spending", "cost", "revenue"),
    "income": ("revenue", "salary"),
    "headcount": ("employee",),
    "traffic": ("byte", "size"),
    "name": ("title", "full name", "label"),
    "hot": ("temperature",),
    "place": ("city", "location", "place"),
    "born": ("birth date", "date of birth", "birthdate", "birthday", "birth"),
    "error": ("error",),
    "magnitude": ("mag",),
    "value": ("reading", "measurement"),
    "reading": ("value",),
    "measurement": ("value",),
    "worth": ("amount", "total", "value"),
    "response": ("response",),
    "person": ("population", "employee", "attendee", "participant", "capacity", "headcount"),
    "inhabitant": ("population",),
    "latency": ("response time", "duration"),
    "teacher": ("lecturer", "professor"),
    "lecturer": ("professor", "teacher", "instructor"),
    "professor": ("lecturer", "teacher", "instructor"),
    "deadline": ("due date", "due on", "due"),
    "payee": ("recipient", "beneficiary"),
    "spectator": ("attendance",),
    "usage": ("consumption", "kwh"),
    "consumption": ("usage", "kwh"),
    "energy": ("kwh", "mwh"),
    "electricity": ("kwh",),
    "length": ("minute", "hour"),
    "duration": ("minute", "hour", "took", "elapsed"),
    "runtime": ("took", "elapsed", "minute"),
    "owner": ("assigned to", "responsible"),
    "price": ("fare", "fare amount", "rent"),
    "engineer": ("technician", "assignee"),
    "center": ("ctr", "centre"),
    "arrival": ("arrived", "received"),
    "claim": ("amount",),
    "fuel": ("litre", "liter", "gallon"),
    "memory": ("ram",),
    "horsepower": ("hp",),
    "power": ("horsepower", "hp", "kw", "watt"),
    "mileage": ("km", "odometer", "miles"),
    "brand": ("manufacturer", "make", "maker", "vendor"),
    "boss": ("manager", "supervisor", "reports to"),
    "holder": ("assigned to", "owner"),
    "dish": ("name", "title"),
    "sort": ("type", "kind", "category"),
    "provider": ("vendor", "supplier", "carrier"),
    "tariff": ("plan", "rate"),
    "operator": ("airline", "carrier"),
    "note": ("comment", "remark", "description"),
}

ABBREVIATIONS: Final = {
    "mag": "magnitude",
    "qty": "quantity",
    "amt": "amount",
    "cust": "customer",
    "dept": "department",
    "addr": "address",
    "num": "number",
    "no": "number",
    "nr": "number",
    "nbr": "number",
    "desc": "description",
    "descr": "description",
    "cat": "category",
    "mgr": "manager",
    "emp": "employee",
    "yr": "year",
    "mon": "month",
    "temp": "temperature",
    "tmp": "temperature",
    "tmax": "maximum temperature",
    "tmin": "minimum temperature",
    "tavg": "average temperature",
    "hum": "humidity",
    "precip": "precipitation",
    "prcp": "precipitation",
    "avg": "average",
    "min": "minimum",
    "max": "maximum",
    "prod": "product",
    "ord": "order",
    "inv": "invoice",
    "acct": "account",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "fname": "first name",
    "lname": "last name",
    "firstname": "first name",
    "lastname": "last name",
    "fullname": "full name",
    "dob": "date of birth",
    "tel": "phone",
    "ph": "phone",
    "pct": "percent",
    "perc": "percent",
    "dt": "date",
    "ts": "timestamp",
    "cnt": "count",
    "lvl": "level",
    "msg": "message",
    "dest": "destination",
    "orig": "origin",
    "arr": "arrival",
    "dep": "departure",
    "sal": "salary",
    "pop": "population",
    "dur": "duration",
    "wt": "weight",
    "ht": "height",
    "curr": "currency",
    "ccy": "currency",
    "stn": "station",
    "rev": "revenue",
    "pos": "position",
    "pts": "points",
    "gf": "goals for",
    "ga": "goals against",
    "fthg": "home goals",
    "ftag": "away goals",
    "ftr": "result",
    "hthg": "half time home goals",
    "htag": "half time away goals",
    "htr": "half time result",
    "ua": "user agent",
    "hrs": "hours",
    "secs": "seconds",
    "yrs": "years",
    "wk": "week",
    "wks": "weeks",
    "mth": "month",
    "mths": "months",
    "mnth": "month",
    "whse": "warehouse",
    "ctr": "center",
    "cntr": "center",
    "proj": "project",
    "svc": "service",
    "bal": "balance",
    "pymt": "payment",
    "pmt": "payment",
    "wgt": "weight",
    "hgt": "height",
    "prio": "priority",
    "resp": "response",
    "tot": "total",
    "subtot": "subtotal",
    "pkg": "package",
    "mfr": "manufacturer",
    "mfg": "manufacturer",
    "nat": "nationality",
    "prov": "province",
    "pub": "published",
    "ret": "returned",
    "iss": "issued",
    "mbr": "member",
    "grp": "group",
    "mgmt": "management",
    "reqs": "requests",
    "errs": "errors",
    "dist": "distance",
    "elev": "elevation",
    "attr": "attribute",
    "veh": "vehicle",
    "drv": "driver",
    "stud": "student",
    "crs": "course",
    "sched": "scheduled",
    "tailnum": "tail number",
    "acctno": "account number",
    "orderno": "order number",
    "custno": "customer number",
    "wtd": "weighted",
}

UNIT_WORDS: Final = any_of(
    "kmh usd eur gbp chf kg g km m cm mm c f celsius minute hour fahrenheit ms sec secs seconds s min "
    "mins minutes hours hrs h kb mb gb hpa mbar percent pct lb lbs ft feet hp mph mpg"
)

# A word for the rows of a table that has no telling name, and the column words one of which it must have to be believed.
ROWS: Final = {
    "row": "",
    "record": "",
    "entry": "",
    "line": "",
    "result": "",
    "observation": "",
    "data": "",
    "dataset": "",
    "table": "",
    "everything": "",
    "match": "home away team opponent goal",
    "game": "home away team opponent goal",
    "fixture": "home away team opponent",
    "reading": "temperature humidity value sensor pressure reading",
    "measurement": "temperature humidity value sensor pressure",
    "request": "path url method status ip endpoint",
    "hit": "path url ip method",
    "visit": "path url ip visit ward",
    "event": "event timestamp time",
    "log": "level message path ip timestamp",
    "message": "message level text",
    "transaction": "amount total price",
    "sale": "amount total price quantity",
    "purchase": "amount total price quantity",
    "order": "order quantity total amount",
    "payment": "amount paid payment",
    "invoice": "invoice",
    "person": "name first last surname",
    "everyone": "salary hire age birth born",
    "everybody": "salary hire age birth born",
    "user": "user username email",
    "member": "member",
    "employee": "salary hire department employee",
    "staff": "salary hire department employee",
    "flight": "flight origin carrier airline departure",
    "patient": "patient",
    "admission": "admitted admission",
    "book": "author isbn title",
    "film": "director title",
    "movie": "director title",
    "loan": "loan borrowed due",
    "customer": "customer",
    "product": "product sku price",
    "station": "station",
    "player": "player",
    "student": "student grade",
    "city": "city population",
    "country": "country population",
    "car": "make model",
    "trip": "trip distance fare",
    "ticket": "ticket priority",
    "issue": "issue priority",
    "earthquake": "magnitude depth",
    "ride": "bike ride trip start",
    "rental": "rental rented car",
    "booking": "arrival nights room guest booking check",
    "stay": "arrival nights room",
    "donation": "donor amount",
    "gift": "donor",
    "repair": "mechanic repair bike",
    "listing": "bedroom agent street listed",
    "property": "bedroom agent street",
    "exam": "score subject exam",
    "recipe": "cuisine ingredient calorie minutes recipe",
    "dish": "cuisine ingredient calorie",
    "lecture": "professor lecture credit",
    "course": "professor credit course",
    "movement": "movement",
    "delivery": "delivery delivered shipment",
    "shipment": "shipment shipped carrier",
    "appointment": "appointment doctor",
    "lesson": "teacher lesson subject",
    "review": "rating review",
    "session": "session login duration",
    "call": "caller call duration",
    "meeting": "room attendees organizer organiser booking agenda",
    "reservation": "room guest booking arrival table booked",
    "appearance": "appearance appeared",
    "expense": "vendor receipt merchant employee approver",
    "claim": "receipt approver claim claimant policy",
    "equipment": "asset serial manufacturer warranty",
    "asset": "asset serial warranty",
    "device": "serial asset manufacturer os firmware",
    "hardware": "serial asset warranty",
    "machine": "serial asset host cpu",
    "gear": "serial asset warranty",
    "article": "sku stock item description ean",
    "folk": "name first last surname employee",
    "guy": "name first last surname",
    "colleague": "salary hire employee position",
    "worker": "salary hire employee position",
    "leaver": "exit termination left",
    "joiner": "hire entry joined",
    "prospect": "lead",
    "job": "job salary posted closes company",
    "opening": "job salary posted closes position",
    "vacancy": "job salary posted closes position",
    "bird": "species wing flipper egg nest beak bill",
    "animal": "species breed",
    "tree": "species trunk girth height",
    "penguin": "flipper",
    "deploy": "deploy deployed deployment release version",
    "release": "version released release",
    "incident": "severity incident",
    "outage": "severity outage",
    "alert": "severity alert",
    "execution": "duration started finished job",
    "task": "task due assignee",
    "deal": "stage deal amount",
    "opportunity": "stage deal",
    "subscription": "plan subscription renewal",
    "licence": "licence license seat renewal tool",
    "license": "licence license seat renewal tool",
    "parcel": "parcel tracking",
    "query": "query",
    "song": "artist album track",
    "track": "artist album track",
    "vehicle": "plate vin mileage make model",
    "house": "bedroom bathroom listed",
    "apartment": "bedroom bathroom listed",
    "accident": "injured casualty vehicle severity",
    "crime": "offence offense crime",
    "vote": "candidate party vote",
    "grant": "grant awarded",
    "publication": "author journal doi isbn",
    "paper": "author journal doi",
    "post": "author published post body",
    "comment": "author comment body",
    "reply": "author body",
    "tweet": "author retweet",
    "contract": "contract signed counterparty",
    "policy": "policy premium insured",
    "account": "account balance owner",
    "bill": "invoice due bill",
    "receipt": "receipt merchant",
    "absence": "absence leave reason",
    "timesheet": "hours employee project task",
    "probe": "latency uptime",
    "monitor": "latency uptime interval",
    "server": "host cpu ip",
}

# adjective stem: words of the column it grades, whether more of the column is more of the adjective
GRADES: Final = {
    "expensive": ("price cost amount total fare fee rent rate", True),
    "pricey": ("price cost amount total", True),
    "costly": ("price cost amount total", True),
    "cheap": ("price cost amount total fare fee rent rate", False),
    "old": ("age|birth born|year|date", True),
    "young": ("age|birth born", False),
    "new": ("date", True),
    "recent": ("date", True),
    "late": ("date", True),
    "early": ("date", False),
    "heavy": ("weight mass kg lbs", True),
    "light": ("weight mass kg lbs", False),
    "long": ("duration length distance minutes page runtime hours nights", True),
    "short": ("duration length distance minutes page height runtime hours nights", False),
    "tall": ("height cm", True),
    "high": ("", True),
    "low": ("", False),
    "large": ("", True),
    "great": ("", True),
    "big": ("", True),
    "small": ("", False),
    "most": ("", True),
    "few": ("", False),
    "least": ("", False),
    "hot": ("temperature", True),
    "warm": ("temperature", True),
    "cold": ("temperature", False),
    "cool": ("temperature", False),
    "wet": ("precipitation rainfall rain humidity", True),
    "dry": ("precipitation rainfall rain humidity", False),
    "windy": ("wind", True),
    "humid": ("humidity", True),
    "fast": ("duration time speed|speed", False),
    "slow": ("duration time response latency took elapsed runtime ms", True),
    "populous": ("population inhabitants", True),
    "strong": ("magnitude strength wind", True),
    "weak": ("magnitude strength wind", False),
    "deep": ("depth", True),
    "shallow": ("depth", False),
    "powerful": ("horsepower power hp", True),
    "rich": ("income wealth salary balance gdp", True),
    "far": ("distance", True),
    "near": ("distance", False),
    "close": ("distance", False),
    "noisy": ("noise decibel db", True),
    "loud": ("noise loudness decibel db", True),
    "thick": ("thickness", True),
    "thin": ("thickness", False),
    "wide": ("width", True),
    "narrow": ("width", False),
    "steep": ("slope gradient", True),
    "bright": ("brightness luminosity", True),
    "profitable": ("profit margin", True),
    "poor": ("income wealth salary balance gdp", False),
}

SUPERLATIVES: Final = {
    "oldest": "old",
    "eldest": "old",
    "youngest": "young",
    "newest": "new",
    "latest": "late",
    "last": "late",
    "earliest": "early",
    "first": "early",
    "cheapest": "cheap",
    "priciest": "pricey",
    "costliest": "costly",
    "heaviest": "heavy",
    "lightest": "light",
    "longest": "long",
    "shortest": "short",
    "tallest": "tall",
    "highest": "high",
    "lowest": "low",
    "largest": "large",
    "greatest": "great",
    "biggest": "big",
    "smallest": "small",
    "hottest": "hot",
    "warmest": "warm",
    "coldest": "cold",
    "coolest": "cool",
    "wettest": "wet",
    "driest": "dry",
    "windiest": "windy",
    "fastest": "fast",
    "quickest": "fast",
    "slowest": "slow",
    "strongest": "strong",
    "weakest": "weak",
    "deepest": "deep",
    "shallowest": "shallow",
    "richest": "rich",
    "farthest": "far",
    "furthest": "far",
    "nearest": "near",
    "closest": "close",
    "noisiest": "noisy",
    "loudest": "loud",
    "thickest": "thick",
    "thinnest": "thin",
    "widest": "wide",
    "narrowest": "narrow",
    "steepest": "steep",
    "brightest": "bright",
    "poorest": "poor",
    "busiest": "high",
    "quietest": "low",
    "top": "high",
    "best": "high",
    "worst": "low",
    "max": "high",
    "maximum": "high",
    "min": "low",
    "minimum": "low",
}

COMPARATIVES: Final = {
    "older": "old",
    "younger": "young",
    "newer": "new",
    "later": "late",
    "earlier": "early",
    "cheaper": "cheap",
    "pricier": "pricey",
    "heavier": "heavy",
    "lighter": "light",
    "longer": "long",
    "shorter": "short",
    "taller": "tall",
    "hotter": "hot",
    "warmer": "warm",
    "colder": "cold",
    "cooler": "cool",
    "faster": "fast",
    "quicker": "fast",
    "slower": "slow",
    "stronger": "strong",
    "weaker": "weak",
    "deeper": "deep",
    "farther": "far",
    "further": "far",
}

# A verb and the column words it speaks of, as in "who earns more than 50000".
VERBS: Final = {
    "earn": "salary pay wage income",
    "cost": "price cost amount total fare",
    "weigh": "weight mass",
    "spend": "amount total spend spent revenue",
    "last": "duration",
    "pay": "salary amount pay wage fare",
    "sell": "quantity units sold sale",
    "score": "goals score points",
    "measure": "value reading temperature",
    "travel": "distance",
    "give": "amount donation",
    "donate": "amount donation",
    "contribute": "amount donation",
    "charge": "fee amount price",
    "consume": "consumption kwh quantity amount",
    "drive": "distance mileage",
    "invoice": "amount total",
    "bill": "amount total",
    "owe": "amount balance due",
}

COUNTRIES: Final = """
germany german germans de deu
france french fr fra
spain spanish es esp
italy italian italians it ita
austria austrian at aut
switzerland swiss ch che
netherlands dutch nl nld holland
belgium belgian be bel
portugal portuguese pt prt
poland polish pl pol
sweden swedish se swe
norway norwegian no nor
denmark danish dk dnk
finland finnish fi fin
ireland irish ie irl
united kingdom|british|uk|gb|gbr|great britain|britain|u k
united states|american|us|usa|united states of america|u s|america|u s a
canada canadian ca can
mexico mexican mx mex
brazil brazilian br bra
argentina argentinian ar arg
japan japanese jp jpn
china chinese cn chn
india indian in ind
australia australian au aus
turkey turkish tr tur
greece greek gr grc
czechia czech cz cze
hungary hungarian hu hun
romania romanian ro rou
russia russian ru rus
ukraine ukrainian ua ukr
south korea|korean|kr|kor|korea
south africa|south african|za|zaf
egypt egyptian eg egy
"""

FILLER: Final = any_of(
    "a an the please kindly me us i we you my our your their its his her this these those it they he "
    "she him them could would can will shall may might must like want wanted need needed wish love "
    "thanks thank hi hello hey dear ok okay show showing list listing display give get getting find "
    "fetch return print select pull see view tell let know look lookup retrieve extract output bring "
    "provide generate create compute calculate work out determine report query search go is are was "
    "were be been being am do does did done have has had having what which who whom whose that there "
    "here where when of in on at for from to by with as into onto then so just only also too all any "
    "some both and exactly actually overall altogether basically simply today's ever already yet "
    "data information info details detail content contents full complete entire whole respectively "
    "together along side included including include plus well place placed made make happened happen "
    "occur occurred took take taken exist exists existing recorded record registered registering "
    "come came comes coming goes went live lives living based located situated stored held kept found "
    "contained contain belong belongs if possible quick quickly much many up ones set breakdown say said named "
    "called play played playing works working worked lived brings brought generates generated "
    "generating produces produced contributes contributed sent transferred served used consumed altogether "
    "showed shown reported observed measured ask asking asked raised collected gathered earned"
)
