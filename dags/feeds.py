"""One Airflow DAG per feed of config/partners, named `<partner>.<feed>`."""

from acequia.orchestrate.factory import register

register(globals())
