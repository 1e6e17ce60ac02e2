window.YTD.tweets.part0 = [
  {
    "tweet": {
      "edit_info": {
        "initial": {
          "editTweetIds": [
            "1590000000000000061"
          ],
          "editsRemaining": "5"
        }
      },
      "retweeted": false,
      "id_str": "1590000000000000061",
      "id": "1590000000000000061",
      "full_text": "mine, with { and \" in it &amp; more",
      "created_at": "Tue Nov 08 15:15:15 +0000 2022",
      "lang": "en",
      "entities": {
        "urls": [
          {
            "url": "u"
          }
        ]
      }
    }
  },
  {
    "tweet": {
      "id_str": "1590000000000000062",
      "full_text": "an answer",
      "in_reply_to_status_id_str": "1590000000000000061",
      "in_reply_to_user_id_str": "301",
      "lang": "zxx",
      "created_at": "Tue Nov 08 15:15:15 +0000 2022"
    }
  },
  {
    "tweet" : {
      "id_str" : "1590000000000000064",
      "full_text" : "never closed
  },
  {
    "tweet": {
      "id_str": "x",
      "full_text": "an id that is none"
    }
  },
  {
    "id_str": "1590000000000000063",
    "full_text": "as older exports have it"
  }
]
