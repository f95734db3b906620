"""What the demo is made of: towns, names, companies. Nobody in it is a real person."""

TOWNS = (
    ("London", "Europe/London"),
    ("Brighton", "Europe/London"),
    ("Berlin", "Europe/Berlin"),
    ("New York", "America/New_York"),
    ("Kathmandu", "Asia/Kathmandu"),
    ("Manchester", "Europe/London"),
    ("Dublin", "Europe/Dublin"),
    ("Nairobi", "Africa/Nairobi"),
    ("Barcelona", "Europe/Madrid"),
    ("Adelaide", "Australia/Adelaide"),
    ("Bristol", "Europe/London"),
    ("Edinburgh", "Europe/London"),
    ("Cambridge", "Europe/London"),
    ("Oxford", "Europe/London"),
    ("Birmingham", "Europe/London"),
    ("Leeds", "Europe/London"),
    ("Norwich", "Europe/London"),
    ("Sheffield", "Europe/London"),
    ("Glasgow", "Europe/London"),
    ("Cardiff", "Europe/London"),
    ("Belfast", "Europe/London"),
    ("Newcastle", "Europe/London"),
    ("Nottingham", "Europe/London"),
    ("Liverpool", "Europe/London"),
    ("Southampton", "Europe/London"),
    ("Hamburg", "Europe/Berlin"),
    ("Munich", "Europe/Berlin"),
    ("Paris", "Europe/Paris"),
    ("Lyon", "Europe/Paris"),
    ("Amsterdam", "Europe/Amsterdam"),
    ("Brussels", "Europe/Brussels"),
    ("Madrid", "Europe/Madrid"),
    ("Lisbon", "Europe/Lisbon"),
    ("Rome", "Europe/Rome"),
    ("Milan", "Europe/Rome"),
    ("Vienna", "Europe/Vienna"),
    ("Zürich", "Europe/Zurich"),
    ("Prague", "Europe/Prague"),
    ("Warsaw", "Europe/Warsaw"),
    ("Budapest", "Europe/Budapest"),
    ("Copenhagen", "Europe/Copenhagen"),
    ("Oslo", "Europe/Oslo"),
    ("Stockholm", "Europe/Stockholm"),
    ("Helsinki", "Europe/Helsinki"),
    ("Athens", "Europe/Athens"),
    ("Bucharest", "Europe/Bucharest"),
    ("Lagos", "Africa/Lagos"),
    ("Cape Town", "Africa/Johannesburg"),
    ("Boston", "America/New_York"),
    ("San Francisco", "America/Los_Angeles"),
    ("Toronto", "America/Toronto"),
    ("São Paulo", "America/Sao_Paulo"),
    ("Sydney", "Australia/Sydney"),
    ("Auckland", "Pacific/Auckland"),
)

NAMES = """
Abena Adaeze Aisha Aleksandra Alice Amadou Ana André Aoife Beatriz Benedikt Björn Carmen
Chiara Chloé Daniela David Dmitri Efua Eleni Emeka Emma Fatima Felix Fiona François Gabriela
Hana Hugo Ifeoma Imani Ines Ivan Jamila Jasmine Jorge José Julia Kamala Karim Katarina Kofi
Leila Linnéa Lucía Malik Maria Mei Milan Naledi Nia Noémie Olga Omar Oskar Priya Rania Renée
Rohan Rosa Sana Seán Siobhán Sofía Tariq Thandi Tomás Uma Valentina Vera Wanjiru Yara Yusuf
Zainab Zoë
"""

SURNAMES = """
Acheampong Adeyemi Ahmed Almeida Andersson Baptiste Begum Bianchi Boateng Brown Castillo Chen
Clarke Costa Dubois Eriksen Evans Fernández Fischer Ford García Gupta Haddad Hansen Hernández
Hughes Ibrahim Ito Jansen Johnson Kamau Kaur Khan Kim Kowalska Kumar Laurent Lindqvist López
Mahlangu Martin Mensah Mokoena Moreau Müller Murphy Mwangi Nakamura Ndlovu Nguyen Novák Okafor
Oliveira Osei Papadopoulou Patel Petrov Ramírez Rossi Sanchez Schäfer Sharma Singh Smith Sousa
Tanaka Thompson Turner Vargas Virtanen Walsh Weber Williams Yildiz Zhang
"""

COMPANIES = (
    "Harbour Works",
    "Lantern Labs",
    "Copper & Code",
    "Paper Boat",
    "Northlight",
    "Orchard",
)
STREETS = ("Bridge Street", "Mill Lane", "Station Road", "Garden Row", "Market Square")
MAIL_DOMAINS = ("mail.example", "post.example", "letters.example", "inbox.example")
TUTORIALS = ("HTML and CSS", "JavaScript: functions", "Python: lists", "Git", "My own project")
