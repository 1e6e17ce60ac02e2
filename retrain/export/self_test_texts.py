"""Texts of our own that each bundle answers when it is sealed, and again wherever it is loaded."""

from typing import Final

SELF_TEST_TEXTS: Final = (
    "What a wonderful morning, I love this city!",
    "This is the worst service I have ever had, never again.",
    "The meeting starts at 9 and ends at noon.",
    "@someone thank you so much, you made my day 😍",
    "I can't believe how badly they treated us http://example.org/x",
    "New timetable from Monday: trains every 20 minutes. https://example.org/t",
    "so happy to see my family again this weekend :)",
    "Rain again tomorrow, and the match may be off",
    "they lied to us &amp; nobody cares, disgusting",
    "Not sure what to think about the new phone",
    "Best concert of my life!!! #unforgettable",
    "my flight was cancelled and my bags are lost, great.",
    "ok",
    "El servicio fue excelente, muchas gracias",
    "😡😡😡",
    "He was born in 1954 and moved to London in 1970.",
    "I am so afraid of what comes next, I could not sleep all night",
    "Merry Christmas everyone 🎄 ❤",
    "shut up, you are a clown and everybody knows it",
    "I miss her every day. It does not get easier.",
)
