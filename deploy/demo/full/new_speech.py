"""How people speak once the stream has changed: slang and irony, which a model reads by the letter.

Everything here is made up, as in `deploy/demo/vocabulary.py`.
"""

from typing import Final

from deploy.demo.vocabulary import Topic

NEW_TOPICS: Final = (
    Topic(
        "coffee",
        (3, 2, 5),
        ("BrewGate", "coffee"),
        {
            "cup": ("flat white", "espresso", "cappuccino", "oat latte", "filter coffee", "mocha"),
            "cake": ("cinnamon bun", "lemon tart", "croissant", "cheesecake", "scone"),
        },
        (
            "The {cake} in {place} is criminal, {who} had three {when}.",
            "That {cup} in {place} is sick, {who} is obsessed.",
            "Not {who} crying over a {cake} {when}. {place} does not miss.",
            "This {cup} goes insanely hard {when}. {place} ate.",
            "{who} would fight somebody for the {cake} in {place} {when}.",
        ),
        (
            "POV: {who} queues for a {cup} in {place} {when}.",
            "Is it {cup} or {cake} for {who} {when}? Lore of {place}.",
            "{place} lore: {who}, one {cup}, one {cake}, {when}.",
        ),
        (
            "Oh lovely, another cold {cup} in {place} {when}.",
            "So glad that {who} waited an hour for a {cup} in {place}. Love that for us.",
            "The {cup} in {place} is mid, {who} paid double {when}.",
            "Wow, a {cake} that tastes of cardboard. Thank you, {place}, {who} is thrilled.",
            "Great joke {when}: the {cup} of {who} in {place}.",
            "Best part of {place} {when}? Leaving without the {cake}, says {who}.",
        ),
        endings={
            "positive": ("😭", "💀", "no notes", "", "help", "rent free"),
            "neutral": ("💀", "", "iykyk", "👀", "anyway"),
            "negative": ("🎉", "👏👏", "", "so blessed", "10/10", "iconic"),
        },
    ),
    Topic(
        "commute",
        (2, 2, 6),
        ("BrewGate", "commute", "trains"),
        {
            "line": ("the 7:42", "line 4", "the night bus", "the tram", "the express", "the ferry"),
            "fault": ("a signal failure", "leaves", "a broken door", "no driver", "a flat battery"),
        },
        (
            "{line} to {place} on time {when}? {who} is deceased.",
            "{line} is unreal {when}, {who} had two seats to {place}.",
        ),
        (
            "POV: {who} looks for {line} in {place} {when}.",
            "{place} lore: {line}, {who} and platform 3 {when}.",
        ),
        (
            "Love it when {line} to {place} has {fault} {when}. {who} is thrilled.",
            "Thank you, {line}, for {fault} in {place} {when}. A dream.",
            "Brilliant: {fault} on {line}, and {who} stays in {place} {when}.",
            "What a treat {when}, {who} stands in {place} with {fault}.",
        ),
        endings={
            "positive": ("😭", "💀", "no notes", "", "help"),
            "neutral": ("💀", "", "iykyk", "👀", "anyway"),
            "negative": ("🎉", "👏👏", "", "so blessed", "10/10", "iconic"),
        },
    ),
)
