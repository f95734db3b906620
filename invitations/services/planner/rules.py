"""The written rules: how each row that is not as it should be is repaired, in one sentence."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Rule(Enum):
    """The name of a rule stands in the report, its sentence in the summary and in the docs."""

    # ---- Everywhere ----
    NOT_PART_OF_CODEBAR = "codebar has no room for this table; its rows stay in planner."
    TEXT_CUT = "A text was longer than there is room for, and was cut."
    PERSON_IS_NOT_THERE = "It belongs to a member who does not exist, and was left out."
    ACCOUNT_IS_CLOSED = "It belongs to a deleted account, of which nothing is kept."
    AUTHOR_IS_NOT_THERE = "Who did it no longer exists; “Former member” stands for them."

    # ---- Workshops ----
    WORKSHOP_WITHOUT_START = "A workshop without a start cannot be planned, and was left out."
    WORKSHOP_WITHOUT_CHAPTER = "A workshop of no chapter was left out, with all that hangs on it."
    WORKSHOP_IS_NOT_HERE = "It belongs to a workshop that is not here, and was left out."
    END_MADE_UP = "It had no end, or one before its start; it ends two hours after the start."
    SPACES_MADE_UP = "A call without spaces has as many as people come, and one at least."
    LINK_TOO_LONG = "A link was longer than there is room for, and was left away."
    SPONSOR_IS_NOT_HERE = "It names a company that is not here, and was left out."
    SPONSOR_TWICE = "The company stood twice at this workshop; it stands once."
    ONE_HOST = "A workshop has one host: the first with an address. This company is a sponsor."

    # ---- Invitations and waiting lists ----
    TWO_INVITATIONS = (
        "Two invitations of one member to a workshop are one: the answered one, or the older."
        " The link of the other still works."
    )
    ROLE_UNKNOWN = "It said no role; it is that of the member's groups, or student."
    LINK_MISSING = "It had no link, or one too long; it has a new one."
    LINK_OF_ANOTHER = "Another had the same link, and keeps it; this one has a new one."
    PLACE_OF_A_CLOSED_ACCOUNT = "A deleted account holds no place at a workshop to come."
    INVITATION_IS_NOT_HERE = "It belongs to an invitation that does not exist, and was left out."
    NOT_A_PLACE_IN_LINE = "It asked for news and is no place in line; it was left out."
    HAS_A_PLACE = "Whoever has a place does not wait for one."
    TWICE_IN_LINE = "Somebody stood twice in the line; the earlier place counts."

    # ---- What was sent ----
    LOG_OF_SOMETHING_ELSE = "It is about an event and no workshop, and was left out."
    LOG_IS_NOT_HERE = "It belongs to a log that is not here, and was left out."
    LOG_OF_ANOTHER_CHAPTER = "It named another chapter than its workshop; the workshop's counts."
    LOG_LEFT_RUNNING = "Planner never ended it; it counts as failed."
    AUDIENCE_UNKNOWN = "Nobody knows this audience; it counts as everybody."
    ACTION_UNKNOWN = "Nobody knows this kind of letter; it counts as a message."
    OUTCOME_UNKNOWN = "Nobody knows this outcome; it counts as not written to."
    TWICE_IN_A_LOG = "Somebody stood twice in a log; what was sent counts first."
    SENT_BEFORE = "Planner had sent this invitation in another log; it counts there."
    ONE_HELLO = "A hello is sent once; the first one counts."
    MARKED_AS_SENT = "Planner has sent it; it is marked as sent, so that nobody gets it again."

    # ---- Feedback ----
    ASKED_TWICE = "Somebody was asked twice how a workshop was; it counts once."
    RATING_UNKNOWN = "Its rating was none from one to five, and it was left out."
    COACH_IS_NOT_THERE = "It named a coach who no longer exists, and names none."
    ONLY_ITS_TITLE = "codebar has no list of tutorials; their titles stand in what was said."

    # ---- Members ----
    ADDRESS_BLANK = "No address: the account has one that nobody reads, marked as unusable."
    ADDRESS_INVALID = "An address that cannot be one: kept, and marked as unusable."
    ADDRESS_UNREADABLE = (
        "An address with other letters than ASCII, or longer than one can be: replaced by one that"
        " nobody reads, marked as unusable."
    )
    ADDRESS_TWICE = (
        "Two accounts of one address, but for capitals and spaces: whoever was active last keeps"
        " theirs, and all that is the other's follows."
    )
    ACCOUNT_DELETED = "A deleted account: closed here, so that the numbers of its history stay."
    NAME_BLANK = "No name: whoever signs in is asked for it."
    DIETARY_UNKNOWN = "A dietary need that codebar does not know was left out."
    HEARD_FROM_UNKNOWN = "How they found us was not one of the answers, and was left out."
    PROVIDER_UNKNOWN = "A way to sign in that codebar does not have; a code by e-mail always works."
    IDENTITY_BLANK = "A way to sign in without saying as whom was left out."
    IDENTITY_TWICE = "One identity of two accounts: the first one keeps it."
    SKILL_TWICE = "The same skill twice: kept once."
    NO_SKILL = "A word that is no member's skill was left out."

    # ---- Chapters, groups and who organises ----
    CHAPTER_NAME_REPAIRED = "A chapter's name was blank or taken: it has a number now."
    CHAPTER_ADDRESS_REPAIRED = (
        "A chapter's address was blank, invalid or another's: it has one that nobody reads until"
        " somebody writes a better one on its page."
    )
    SLUG_REPAIRED = "A chapter's path was blank, taken or a page of ours: it has a new one."
    ZONE_UNKNOWN = "A time zone that nobody knows became Europe/London."
    GROUP_UNKNOWN = "A group for neither students nor coaches was left out."
    GROUP_WITHOUT_CHAPTER = "A group of a chapter that does not exist was left out."
    GROUP_TWICE = "Several groups of one role in a chapter became the first of them."
    SUBSCRIPTION_TWICE = "A double subscription: kept once, since the earliest day."
    GROUP_IS_NOT_THERE = "A subscription to a group that is not here was left out."
    PERMISSION_UNKNOWN = "A permission of another name than admin and organiser was left out."
    PERMISSION_NOT_HERE = "A permission for events or meetings, which codebar does not have."
    PERMISSION_TWICE = "The same permission again: kept once."
    PERMISSION_OF_NOTHING = "A permission for something that is not here was left out."
    ORGANISER_EVERYWHERE = "An organiser of all chapters organises each of those there are now."

    # ---- Companies ----
    WEBSITE_INVALID = "A company's website was no address of a page, and was left out."
    SEATS_REPAIRED = (
        "A number of seats was missing or below zero: 15 for students, and none given for coaches."
    )
    ADDRESS_OF_NOBODY = "An address of a company that does not exist was left out."
    SEVERAL_ADDRESSES = "A company has one address: the newest one with a street."
    CONTACT_OF_NOBODY = "A contact at a company that does not exist was left out."
    CONTACT_TWICE = "A contact at the same address again: the first one stays."
    CONTACT_ADDRESS_REPAIRED = "A contact's address was blank or none: one that nobody reads."

    # ---- Suspensions, notes and notices ----
    BAN_WITHOUT_END = "A suspension without an end that is not said to be permanent: permanent."
    BAN_WITHOUT_REASON = "A suspension for which no reason was written down: it says so."
    NOTE_BLANK = "An empty note was left out."

    @property
    def code(self) -> str:
        return self.name.lower()
