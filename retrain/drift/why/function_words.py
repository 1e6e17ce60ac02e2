"""Words that hold a sentence together and say nothing of its subject, by language.

Articles, pronouns, prepositions, conjunctions, auxiliaries, and what people write for them in
haste. Negations are not among them: they turn a sentence. Each list counts only for texts of its
own language, since `die` is an article in German and a verb in English.
"""

from typing import Final

_LISTS: Final = {
    "en": (
        "a about after again all also am an and any are aren't as at be because been before "
        "being between both but by can could did do does doing during each few for from had "
        "has have having he he'd he'll he's her here here's hers herself him himself his how "
        "how's i i'd i'll i'm i've if im in into is it it'd it'll it's its itself ive just "
        "let's me more most my myself now of off on once one only or other our ours ourselves "
        "out over own r rt same she she'd she'll she's should so some such than that that's "
        "thats the their theirs them themselves then there there's these they they'd they'll "
        "they're they've this those though through to too u under until up ur us very was we "
        "we'd we'll we're we've were what what's whats when when's where where's which while "
        "who who's whom why will with would you you'd you'll you're you've your youre yours "
        "yourself yourselves"
    ),
    "es": (
        "a al algo algunas algunos ante antes aquel aquella aquellos aquí así aun aunque aún "
        "como con contra cual cuando cuál cuándo cómo da de del desde donde dos durante dónde "
        "e el ella ellas ellos en entre era eran eres es esa esas ese eso esos esta estaba "
        "estado estamos estar estas este esto estos estoy está están estás fue fueron fui ha "
        "haber había habían hace hacer han has hasta hay he hemos hoy iba ir la las le les lo "
        "los me mi mis mucho muy más mí mía mío ni nos nosotros nuestra nuestras nuestro "
        "nuestros o os otra otras otro otros para pero por porque pq pues q que quien quienes "
        "quién qué rt se sea ser si sido siendo sobre solo somos son soy su sus suya suyo sí "
        "sólo también tan tanto te tenemos tener tengo tenía ti tiene tienen tienes todas todo "
        "todos tu tus tuya tuyo tú un una unas uno unos va van vosotros voy vuestra vuestro x "
        "xq y ya yo él"
    ),
    "pt": (
        "a ainda algo algum alguma algumas alguns ao aos aquela aquelas aquele aqueles aquilo "
        "as assim até b cada com como d da das de dela delas dele deles depois do dos e ela "
        "elas ele eles em entre era eram essa essas esse esses esta estamos estar estas estava "
        "estavam este estes estou está estão eu foi fomos for foram fui hoje há isso isto já "
        "la lhe lhes lo mais mas me mesmo meu meus minha minhas muito na nas nessa nesse nesta "
        "neste nos nossa nossas nosso nossos num numa nós o onde os ou outra outras outro "
        "outros para pela pelas pelo pelos pois por porque pq pra pro q qual quando que quem "
        "rt se seja sem ser seu seus sobre sua suas são só também te tem tenho ter teu teus "
        "tinha tipo toda todas todo todos tu tua tuas tudo têm um uma umas uns vai vc vcs você "
        "vocês vou à às é"
    ),
    "fr": (
        "a ai alors au aucun auquel aussi autre autres aux avaient avais avait avant avec avez "
        "avoir avons c c'est c'était car ce ceci cela celle celles celui ces cet cette ceux "
        "chez comme comment d d'un d'une dans de depuis des donc dont du dès elle elles en "
        "encore entre es est et eu eux faire fais fait font ici il ils j j'ai j'avais j'en je "
        "jusque k l l'on la laquelle le lequel les lesquels leur leurs lors lui là m m'a ma "
        "mais me mes moi mon même n ni nos notre nous on ont ou où par parce pendant peu peut "
        "plus pour pourquoi puis qd qu'elle qu'il qu'ils qu'on qu'un quand que quel quelle "
        "quelles quels qui quoi rt s s'est s'il sa sans se sera ses si soit son sont sous sur "
        "t t'as ta tandis te tes toi ton tous tout toute toutes tres très tu un une va vers "
        "vos votre vous y à ça étaient étais était été être"
    ),
    "de": (
        "aber als also am an auch auf aus bei beim bin bis bist da dabei dadurch dafür damit "
        "dann daran darauf darf darum das dass dein deine deinem deinen deiner dem den denen "
        "denn der deren des deshalb dessen dich die dies diese diesem diesen dieser dieses dir "
        "doch dort du durch eben ein eine einem einen einer eines er es etwas euch euer eure "
        "für gegen gibt hab habe haben habt hast hat hatte hatten hier hin hinter ich ihm ihn "
        "ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jetzt "
        "kann kannst können könnte mal man manche mehr mein meine meinem meinen meiner mich "
        "mir mit muss musst müssen nach noch nun nur ob oder rt schon sehr sein seine seinem "
        "seinen seiner seit selbst sich sie sind so solche soll sollen sollte sondern sonst u "
        "um und uns unser unsere unter vom von vor wann war waren warst warum was weg weil "
        "weiter welche welchem welchen welcher wenn wer werde werden wie wieder will wir wird "
        "wirst wo wurde wurden während würde würden z zu zum zur zwar zwischen über"
    ),
    "it": (
        "a abbia abbiamo agli ai al alla alle allo anche ancora avere aveva avevano c c'è ce "
        "che chi ci come con contro cosa così cui d da dagli dai dal dalla dalle dallo degli "
        "dei del della delle dello dentro di dopo dove due e ed era erano essere fa fare fino "
        "fra fu già gli ha hai hanno ho i il in io l l'ha la le lei li lo loro lui ma me mi "
        "mia mie miei mio molto ne negli nei nel nella nelle nello noi nostra nostri nostro o "
        "oggi ogni per perché però più poi qualche quando quanto quella quelle quelli quello "
        "questa queste questi questo qui quindi rt sarà se sei senza si sia siamo siete solo "
        "sono sopra sta stata stati stato sto su sua sue sugli sui sul sulla sulle sullo suo "
        "suoi tra tu tua tue tuo tuoi tutta tutte tutti tutto un un'altra una uno va vi voi "
        "vostra vostro x è"
    ),
    "nl": (
        "aan achter al alle alleen als andere ben bent bij boven d daar dan dat de deze die "
        "dit doen door dus een en er even gaan gaat ge haar had hadden heb hebben hebt heeft "
        "heel hem het hier hij hoe hun ik in is ja je jij jou jouw jullie k kan kun kunnen m "
        "maar mag me meer men met mij mijn moet moeten na naar nog nu of om omdat onder ons "
        "onze ook op over rt s t te tegen ten toch toen tot tussen u uit uw van vanaf veel "
        "voor waar waarom wanneer want waren was wat we weer wel welke werd werden wie wij wil "
        "worden wordt z'n zal ze zei zelf zich zij zijn zo zonder zou zouden"
    ),
    "sv": (
        "alla allt att av bara blev bli blir de dem den denna deras dess det detta dig din "
        "dina ditt dock du där då efter eller en er era ert ett från få för går ha hade han "
        "hans har henne hennes hon honom hur här i in inom ja jag kan kommer kunde man med "
        "mellan men mer mig min mina mitt mot mycket nu när något några nån och om oss på rt "
        "samma sedan sig sin sina sitt ska skulle som så till under upp ur ut utan vad var "
        "vara varför varit vem vi vid vilka vilken vilket vår våra vårt än är åt över"
    ),
    "da": (
        "ad af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig "
        "din dine disse dit dog du efter eller en end er et for fordi fra få før ham han hans "
        "har havde have hende hendes her hos hun hvad hvem hvis hvor hvordan hvorfor i ind ja "
        "jeg jer jeres kan kom kunne lige man mange med meget men mig min mine mit mod mon må "
        "ned nogen noget nu når og også om op os over på rt sig sin sine sit skal skulle som "
        "så til ud under var ved vi vil ville vores være været"
    ),
    "no": (
        "alle at av bare begge ble bli blir da de deg dem den denne der deres det dette din "
        "dine disse ditt du då eg ein eit eller en er et etter for fordi fra få før gjør ha "
        "hadde han hans har henne hennes her hun hva hvem hver hvis hvor hvordan hvorfor i inn "
        "ja jeg kan kom kunne litt man mange med meg men mer mest min mine mitt mot mye må ned "
        "noe noen nå når og også om opp oss over på rt seg selv si sin sine sitt skal skulle "
        "som så til ut uten var ved vi vil ville vår våre være vært"
    ),
    "fi": (
        "eli ennen että he hän hänen häntä ja jo joka jolla jonka jos josta jota jotka jotta "
        "juuri kai kaikki kanssa koska kuin kuitenkin kun kuten kyllä me mikä minkä minua "
        "minulla minulle minun minusta minut minä mitä mukaan mun mutta myös mä ne nii niin "
        "niistä niitä noin nuo nyt näin nämä ole olen olet oli olin olisi olivat olla olleet "
        "ollut on ovat rt saa sekä sen siellä siinä siis siitä sinua sinulla sinulle sinun "
        "sinä sitten sitä sun sä tai tuo tämä tämän tässä tästä tätä vaan vai vaikka vain "
        "vielä voi"
    ),
    "pl": (
        "a aby albo ale ani aż bardzo bez bo by bym być był była było były chce ci cię co czy "
        "dla do gdy gdzie go i ich ile im ja jak jaka jaki jakie jako je jednak jego jej jest "
        "jestem jeszcze jeśli już każdy kiedy kto która które którego której który którzy ku "
        "lub ma mają mam mi mnie mną moja moje może można mu my mój na nad nam nas nasz nasze "
        "nawet nich nim nią niż no o od ona one oni ono oraz po pod ponieważ przed przez przy "
        "r rt sam się są tak taka taki takie także tam te tego tej ten teraz też to tu tutaj "
        "twoja twoje twój ty tych tylko tym u w wam was we więc wszystko wy z za ze że żeby"
    ),
    "cs": (
        "a aby aj ale ani asi až bez bude budem budeš by byl byla byli bylo být co což dnes do "
        "ho i jak jako je jeho jej jejich její jen ještě ji jich jim jsem jsi jsme jsou jste "
        "já jí k kam kde kdo kdy když která které který kteří ku ma mi mně moc mu my má mám "
        "máš mít mě může na nad naše než nám nás náš něco o od on ona oni ono pak po pod podle "
        "pro proto protože proč před při rt s se si sice svou svůj ta tady tak také takže tam "
        "te tedy ten tento ti to tohle toho tom tomu tu ty této tím tě u už v ve vy vám vás "
        "víc však všechno z za ze že"
    ),
    "tr": (
        "acaba ama ancak artık ay az bana bazen bazı belki ben benden beni benim bile bir "
        "biraz birçok biz bize bizi bizim bu buna bunda bundan bunlar bunu bunun böyle da daha "
        "de defa diye en fakat gibi göre hem hep hepsi her herkes ile ise için işte kadar ki "
        "kim kimse mi mu mü mı nasıl ne neden niye niçin o olan olarak oldu olduğu olsun olur "
        "ona ondan onlar onlara onu onun rt sana sanki sen senden seni senin siz sizi sizin "
        "sonra ta tüm var ve veya ya yani çok çünkü şey şimdi şu şunu"
    ),
    "id": (
        "ada adalah agar aja akan aku anda apa atau bagi bahwa banyak begitu bisa buat dalam "
        "dan dari deh dengan dgn di dia dong dulu gitu gue gw hanya harus ia ini itu iya jadi "
        "jika juga kalau kalo kami kamu karena karna kata ke kepada kita kok la lagi lah lalu "
        "lebih lo loh lu mau mereka nih nya oleh pada para rt saat saja sama sampai sangat "
        "saya se sebagai sebuah secara sedang sekarang semua seperti serta setelah si sih "
        "sudah supaya tapi telah tentang terus tetapi tuh udah untuk utk ya yaitu yang yg"
    ),
    "ru": (
        "rt а без более больше будет будто бы был была были было быть в вам вас ведь весь во "
        "вот все всего всех всю вы где да даже для до его ее ему если есть еще ещё её ж же за "
        "здесь и из или им их к как какая какой когда кого кто ли между меня мне много может "
        "можно мой моя моё мы на над надо нас наш него нее ней нему неё них но ну о об один он "
        "она они оно от очень по под после потом потому почему почти при про просто раз рт с "
        "сам своих свой свою себе себя сейчас со так такой там тебе тебя тем теперь то тогда "
        "того тоже только том тот тут ты у уже хоть чего чей чем через что чтоб чтобы чуть эта "
        "эти это этого этой этом этот эту я"
    ),
    "uk": (
        "rt а або але без би був була були було бути в вам вас вже ви вона вони воно все всі "
        "від він де для до ж же з за зі й його йому коли крім лише мене мені ми може моя між "
        "мій на над нам нас наш наші неї них ну о один от по про просто під після раз рт саме "
        "свої свій се себе собі та так такий там те теж тепер ти то тобі того той тому тут "
        "тільки у хоч хто це цей цього цьому ця ці через чи чому що щоб щось я як яка який "
        "якщо які є із їй їм їх її"
    ),
    "el": (
        "rt ένα ένας έχει έχεις έχουν έχω ή ήταν αν απο από αυτά αυτές αυτή αυτοί αυτό αυτός "
        "για γιατί δικό είμαι είναι είχα είχε εγώ εδώ εκεί εμείς εσείς εσύ η θα κάθε κάτι και "
        "κατά κι μέσα μία μα μας με μετά μια μου να ο οι πιο ποιος πολύ που πού πριν προς πως "
        "πώς σαν σας σε σου στα στη στην στις στο στον στους τα τη την της τι τις το τον του "
        "τους των τότε τώρα ως όλα όλοι όμως όπως όσο όταν ότι ώστε"
    ),
    "ro": (
        "a această acest aceste acum ai aici al ale alt am ar are as asta au avea avem așa ca "
        "care ce cea cei cel cele chiar ci cine cu cum când cât că către da dacă dar de deci "
        "decât deja despre din după e ea ei el ele era este eu fi fie foarte fost i ia iar in "
        "la le li lor lui mai mea mei mele mereu meu mi mie mă ne noastră noi nostru o ori pe "
        "pentru poate prin până r rt s sa sale sau se si sunt suntem sunteți să său ta te "
        "toate tot toți tu tău un una unde unei unor unui va voi vor vostru vă îi îl îmi în "
        "îți ăsta și"
    ),
    "ar": (
        "rt أما أن أنا أنت أنتم أو أي إذا إلا إلى إن اذا الا التي الذي الذين اللي الى اما ان "
        "انا انت انتم او اي بس بعد بعض بل بين تكون ثم حتى حيث خلال ده دي ذلك رغم سوف على علي "
        "عن عند عندما فقط فوق فى في فيه فيها قال قبل قد كان كانت كل كما كنت كيف لأن لان لك لكن "
        "له لها لهم لو لي ليه مع من منذ منه منها مين نحن هذا هذه هل هم هنا هناك هو هي هيك و "
        "وأن وان وانت وفي وقد وكان ومع ومن وهذا وهو وهي يا يكون"
    ),
    "hi": (
        "rt अगर अपना अपनी अपने अब आप आपका आपकी आपके इन इनका इस इसका इसकी इसके इसलिए इसी इसे उन "
        "उनका उनकी उनके उस उसका उसकी उसके उसी उसे एक एवं ऐसा ऐसे और कई कर करता करते करना करने "
        "करे का कि किया किस किसी की कुछ के को कोई कौन क्या क्यों गई गए गया जब जहां जा जाता "
        "जाती जाते जाने जैसा जैसे जो तक तब तरह तुम तुम्हारा तू तो था थी थे दिया दी दो द्वारा "
        "ने पर फिर बहुत बाद भी मुझे में मेरा मेरी मेरे मैं यदि यह यहां यही या ये रहा रही रहे "
        "लिए लेकिन वह वहां वही वाला वाली वाले वे वो सब सभी साथ से हम हमारा हमारी हमारे ही हुआ "
        "हुई हुए हूं है हैं हो होता होती होते होना होने"
    ),
}
_SAME_AS: Final = {"nb": "no", "nn": "no", "in": "id", "ms": "id", "sk": "cs"}
"""Other codes, X's own among them, of a list or of a language close to it."""


def _read(words: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in words.split())


_BY_LANGUAGE: Final = {language: _read(words) for language, words in _LISTS.items()}


def is_function_word(word: str, language: str | None) -> bool:
    """Tell whether a word, folded as `str.casefold` does, only holds sentences together.

    A text whose language is not known is taken for English; languages without a list keep their
    words. A single letter of an alphabet is no word in any of them.
    """
    if len(word) == 1 and word.isalpha() and _is_of_an_alphabet(word):
        return True
    return word in _BY_LANGUAGE.get(_list_of(language), frozenset())


def _list_of(language: str | None) -> str:
    code = (language or "").partition("-")[0].lower()
    if code in ("", "und", "zxx", "qme", "qht", "qam", "qct", "qst"):
        return "en"
    return _SAME_AS.get(code, code)


def _is_of_an_alphabet(letter: str) -> bool:
    """Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic: in other scripts one sign may be a word."""
    return letter < "\u0700"
