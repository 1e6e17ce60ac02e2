"""What the sample archive talks about. Every sentence, name and film here is made up.

A word in braces is filled from `Topic.words` or, where the topic has none, from `WORDS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Topic:
    """One rule's subject. `mood` weighs positive, neutral and negative sentences.

    `endings` are its own where it has some, by mood; else they are those of all topics.
    """

    rule: str
    mood: tuple[int, int, int]
    hashtags: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    positive: tuple[str, ...]
    neutral: tuple[str, ...]
    negative: tuple[str, ...]
    endings: Mapping[str, tuple[str, ...]] | None = None


WORDS: Final[dict[str, tuple[str, ...]]] = {
    "place": (
        "Leeds",
        "Porto",
        "Oslo",
        "Turin",
        "Ghent",
        "Galway",
        "Bergen",
        "Lyon",
        "Graz",
        "Malmö",
        "Bilbao",
        "Cork",
        "Trieste",
        "Utrecht",
        "Basel",
        "Kraków",
        "Tampere",
        "Coimbra",
    ),
    "when": (
        "this morning",
        "tonight",
        "today",
        "this afternoon",
        "right now",
        "again today",
        "all day",
        "since breakfast",
        "before lunch",
        "after work",
        "this evening",
        "at last",
    ),
    "who": (
        "my sister",
        "my boss",
        "the neighbours",
        "our whole team",
        "the kids",
        "my flatmate",
        "grandma",
        "my brother",
        "half the office",
        "an old friend",
        "my dad",
        "everyone here",
    ),
}

TOPICS: Final = (
    Topic(
        "weather",
        (4, 4, 3),
        ("weather", "sunshine", "RainyDay", "storm"),
        {
            "sky": ("sunset", "sunrise", "blue sky", "rainbow", "spring sun", "fresh snow"),
            "bad": ("rain", "sleet", "fog", "wind", "hail", "drizzle", "heat"),
        },
        (
            "What a beautiful {sky} over {place} {when}!",
            "Loving the {sky} in {place} {when}.",
            "The {sky} {when} made {who} smile, {place} is gorgeous.",
            "Perfect {sky} for a walk around {place} with {who}.",
        ),
        (
            "{place} {when}: {bad} expected, 12 degrees.",
            "Forecast for {place} {when} says {bad}.",
            "Is there {bad} in {place} {when}? Asking for {who}.",
            "Checked the radar with {who}: {bad} near {place} {when}.",
        ),
        (
            "So tired of the {bad} in {place} {when}.",
            "{bad} ruined the picnic of {who} in {place}.",
            "Miserable {bad} {when}, {place} is awful like this.",
            "Worst {bad} in years, {who} got soaked in {place}.",
        ),
    ),
    Topic(
        "commute",
        (1, 3, 6),
        ("commute", "trains", "delays", "rushhour"),
        {
            "line": ("the 7:42", "line 4", "the night bus", "the tram", "the express", "the ferry"),
            "fault": ("a signal failure", "leaves", "a broken door", "no driver", "a flat battery"),
        },
        (
            "{line} to {place} was early and half empty {when}, brilliant!",
            "Thank you to the kind driver of {line} in {place}, you made the day of {who}.",
        ),
        (
            "{line} now leaves {place} from platform 3 {when}.",
            "Does {line} stop in {place} {when}? {who} would like to know.",
            "Timetable change for {line} to {place} starts {when}.",
        ),
        (
            "{line} to {place} cancelled {when} because of {fault}. Unbelievable.",
            "Stuck outside {place} with {who} {when}, {fault} they say. Terrible.",
            "Late for work {when}: {fault} on {line}. I hate this.",
            "{line} is so crowded {when} that {who} could not get off in {place}. Awful service.",
        ),
    ),
    Topic(
        "football",
        (5, 3, 4),
        ("matchday", "HarbourFC", "NorthfieldUnited", "football"),
        {
            "club": ("Harbour FC", "Northfield United", "River Rovers", "Old Mill Athletic"),
            "part": ("goalkeeper", "captain", "new striker", "midfield", "manager", "back four"),
        },
        (
            "What a goal by the {part} of {club}! {who} went wild {when}.",
            "So proud of {club} {when}, the {part} was fantastic in {place}!",
            "Best game for years, {club} played beautifully in {place} {when}.",
        ),
        (
            "{club} play in {place} {when}, kick-off at eight.",
            "Team news: the {part} of {club} starts {when}.",
            "{who} has two tickets for {club} in {place}.",
        ),
        (
            "{club} were dreadful {when}, the {part} let everyone down.",
            "Lost again in {place}. The {part} of {club} is a disaster.",
            "Embarrassing from the {part} {when}. {who} left {club} at half time.",
        ),
    ),
    Topic(
        "gadgets",
        (4, 4, 4),
        ("OrbitNine", "gadgets", "tech", "launchday"),
        {
            "thing": ("Orbit Nine", "Kestrel Watch", "Pebblebuds", "Lumen tablet", "Foldo phone"),
            "piece": ("battery", "camera", "screen", "update", "speaker", "charger"),
        },
        (
            "The {piece} of the {thing} is amazing, {who} wants one too.",
            "Got the {thing} {when} and I love the {piece}!",
            "Great support for my {thing} in {place}, new {piece} {when}.",
        ),
        (
            "The {thing} comes to {place} {when}, with a new {piece}.",
            "How long does the {piece} of the {thing} last? {who} asks.",
            "Comparing the {piece} of the {thing} with last year's {when}.",
        ),
        (
            "The {piece} of my {thing} died {when}. Useless.",
            "Two hours on hold in {place} about a broken {piece}, never again a {thing}.",
            "Disappointed: the {thing} has the worst {piece} {who} ever had.",
        ),
    ),
    Topic(
        "films",
        (6, 3, 3),
        ("nowwatching", "filmnight", "TheLastLighthouse"),
        {
            "film": (
                "The Last Lighthouse",
                "Paper Moons",
                "Ninety Doors",
                "A Quiet Orchard",
                "Copper Rain",
                "The Cartographer",
            ),
            "side": ("ending", "music", "second half", "lead actor", "plot", "photography"),
        },
        (
            "{film} is wonderful, the {side} made {who} cry.",
            "Cannot stop thinking about the {side} of {film}. Masterpiece, seen in {place} {when}.",
            "Laughed so much with {who} at {film} {when}!",
        ),
        (
            "Watching {film} with {who} {when}.",
            "{film} is showing in {place} {when}.",
            "Who wrote the {side} of {film}? Quiz {when} in {place}.",
        ),
        (
            "{film} was so boring that {who} fell asleep {when}.",
            "The {side} of {film} makes no sense. Waste of an evening in {place}.",
            "Walked out of {film} {when}, terrible {side}.",
        ),
    ),
    Topic(
        "coffee",
        (7, 3, 2),
        ("coffee", "baking", "espresso"),
        {
            "cup": ("flat white", "espresso", "cappuccino", "oat latte", "filter coffee", "mocha"),
            "cake": ("cinnamon bun", "lemon tart", "croissant", "cheesecake", "scone"),
        },
        (
            "Best {cup} in {place}, and the {cake} is heavenly.",
            "A {cup} and a {cake} with {who} {when}: happy.",
            "The new café in {place} makes a delicious {cake} &amp; {cup}, go {when}!",
        ),
        (
            "{cup} or {cake} {when}?",
            "Where in {place} is a {cup} to be had {when}?",
            "{who} brought a {cake} and a {cup} {when}.",
        ),
        (
            "Cold {cup} and a stale {cake} in {place} {when}, how rude.",
            "{who} spilled a {cup} on my laptop {when}. Horrible start.",
            "Paid a fortune for a burnt {cup} in {place}.",
        ),
    ),
)

OTHER_LANGUAGES: Final[dict[str, tuple[str, ...]]] = {
    "de": (
        "So ein schöner Tag in {place}, danke an alle!",
        "Wieder fällt der Zug nach {place} aus.",
        "Heute Abend Kino in {place}, wer kommt mit?",
    ),
    "es": (
        "¡Qué día tan bonito en {place}!",
        "Otra vez tarde el tren de {place}, qué desastre.",
        "¿Alguien conoce un buen café en {place}?",
    ),
    "fr": (
        "Quelle belle soirée à {place} !",
        "Encore une panne près de {place}, j'en ai assez.",
        "Le film passe ce soir à {place}.",
    ),
    "pt": ("Que dia lindo em {place}, adorei!", "O autocarro de {place} não veio outra vez."),
    "ja": ("{place}のコーヒー、とても美味しかった", "{place}行きの電車がまた遅れている"),
}

ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    "positive": ("😊", "❤️", "🎉", "😍", "🙌", "So happy.", "Highly recommended!", "👏👏"),
    "neutral": ("🤔", "", "", "Details later.", "Thoughts?", "👀"),
    "negative": ("😡", "😩", "🙄", "💔", "Fix it.", "Never again.", "Ugh.", "👎"),
}
ASIDES: Final = (
    ("And it rains as well ☔", "weather"),
    ("At least the coffee is good ☕", "coffee"),
    ("Reading about it on the way home 🚆", "commute"),
)
"""Endings that bring in a second topic, so that a tweet matches two rules."""

NAMES: Final = (
    ("quiet", "brave", "sunny", "rusty", "lucky", "tiny", "northern", "velvet", "salty", "early"),
    ("otter", "maple", "falcon", "teapot", "lantern", "pebble", "badger", "comet", "fern", "kite"),
)
